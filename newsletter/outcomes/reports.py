"""What became of a mailing, in plain numbers."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from newsletter.outcomes.models import Event
from newsletter.sending.balance import Counts, counts
from newsletter.sending.models import Mailing


@dataclass(frozen=True, slots=True)
class MailingReport:
    """`sent` is what we did; the rest is what was said later, in readers, not in events."""

    sent: Counts
    delivered: int
    bounced: int
    deferred: int
    complained: int
    unsubscribed: int

    @property
    def complaint_rate(self) -> float:
        """Complaints per accepted mail, 0 to 1. Providers want it below 0.001."""
        return self.complained / self.sent.accepted if self.sent.accepted else 0.0


def mailing_report(mailing: Mailing) -> MailingReport:
    """Return the report of one mailing. *Accepted* means that the relay took it; *delivered* is
    said only where a delivery event said so."""
    readers = dict(
        Event.objects.filter(mailing=mailing)
        .order_by()
        .values_list("kind")
        .annotate(readers=Count("subscriber", distinct=True))
    )
    return MailingReport(
        sent=counts(mailing),
        delivered=readers.get(Event.Kind.DELIVERED, 0),
        bounced=readers.get(Event.Kind.BOUNCED, 0),
        deferred=readers.get(Event.Kind.DEFERRED, 0),
        complained=readers.get(Event.Kind.COMPLAINED, 0),
        unsubscribed=readers.get(Event.Kind.UNSUBSCRIBED, 0),
    )


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
