"""What readers said of mailings later, in plain numbers."""

from collections.abc import Collection

from django.db.models import Count

from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import REFUSALS
from newsletter.sending.models import Mailing


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
    numbers = [mailing.pk for mailing in mailings]
    readers = dict(
        Event.objects.filter(mailing__in=numbers, kind=Event.Kind.BOUNCED)
        .exclude(source=REFUSALS)
        .order_by()
        .values_list("mailing")
        .annotate(readers=Count("subscriber", distinct=True))
    )
    return {number: readers.get(number, 0) for number in numbers}
