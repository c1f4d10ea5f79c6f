"""What readers said of mailings later, in plain numbers."""

from collections.abc import Collection
from typing import NamedTuple

from django.db.models import Count, Max, QuerySet

from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import REFUSALS
from newsletter.sending.models import Mailing
from newsletter.transports.classify import classify
from newsletter.transports.values import Outcome


def complaints_of(mailings: Collection[Mailing]) -> dict[int, int]:
    """Return how many readers called each of these spam, by their numbers, in one statement.

    It reads complaints only: what a relay says of a million readers is no reading for a dashboard.
    """
    numbers = [mailing.pk for mailing in mailings]
    readers = dict(
        Event.objects.filter(mailing__in=numbers, kind=Event.Kind.COMPLAINED)
        .order_by()
        .values_list("mailing")
        .annotate(readers=Count("subscriber", distinct=True))
    )
    return {number: readers.get(number, 0) for number in numbers}


def came_back_of(mailings: Collection[Mailing]) -> dict[int, int]:
    """Return how many readers' copies came back of each after a relay had taken them, by their
    numbers, in one statement. What was refused at the door stands in the mailing's own counts."""
    readers = dict(
        _came_back(mailings)
        .values_list("mailing")
        .annotate(readers=Count("subscriber", distinct=True))
    )
    return {mailing.pk: readers.get(mailing.pk, 0) for mailing in mailings}


class Blame(NamedTuple):
    """How many copies came back for a reason that lies with us, and what one server said."""

    copies: int
    words: str


def blame_of(mailings: Collection[Mailing]) -> dict[int, Blame]:
    """Return what came back for our authentication, reputation or configuration, by mailing, and
    only where something did. Readers have no part in it, so nobody else would ever notice."""
    found: dict[int, Blame] = {}
    told = (
        _came_back(mailings)
        .values_list("mailing", "status")
        .annotate(copies=Count("pk"), words=Max("detail"))
    )
    for mailing, status, copies, words in told:
        if classify(0, status) is Outcome.OURS:
            before = found.get(mailing, Blame(0, ""))
            found[mailing] = Blame(before.copies + copies, before.words or words or status)
    return found


def _came_back(mailings: Collection[Mailing]) -> QuerySet[Event]:
    numbers = [mailing.pk for mailing in mailings]
    told = Event.objects.filter(mailing__in=numbers, kind=Event.Kind.BOUNCED)
    return told.exclude(source=REFUSALS).order_by()
