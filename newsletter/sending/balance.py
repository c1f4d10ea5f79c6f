"""planned = accepted + refused + skipped + unknown + open, at every moment (invariant 5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Sum

from newsletter.sending.models import Batch, Delivery, Mailing


@dataclass(frozen=True, slots=True)
class Counts:
    planned: int = 0
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    unknown: int = 0

    @property
    def open(self) -> int:
        """Queued, handed or waiting for another try."""
        return self.planned - self.accepted - self.refused - self.skipped - self.unknown


FIELDS = ("planned", "accepted", "refused", "skipped", "unknown")


def counts(mailing: Mailing) -> Counts:
    """Return the counts that are kept with the batches: cheap at any size of mailing."""
    sums = Batch.objects.filter(mailing=mailing).aggregate(
        **{name: Sum(name, default=0) for name in FIELDS}
    )
    return Counts(**sums)


def counts_of(mailings: Iterable[Mailing]) -> dict[int, Counts]:
    """Return the same for many, by their numbers, in one statement."""
    numbers = [mailing.pk for mailing in mailings]
    sums = (
        Batch.objects.filter(mailing__in=numbers)
        .order_by()
        .values_list("mailing")
        .annotate(*(Sum(name, default=0) for name in FIELDS))
    )
    found = {number: Counts(*values) for number, *values in sums}
    return {number: found.get(number, Counts()) for number in numbers}


def recount(mailing: Mailing) -> Counts:
    """Return the counts as the deliveries themselves say: reads every row of the mailing."""
    by_state = dict(
        Delivery.objects.filter(mailing=mailing)
        .order_by()
        .values_list("state")
        .annotate(number=Count("pk"))
    )
    return Counts(
        planned=sum(by_state.values()),
        accepted=by_state.get(Delivery.State.ACCEPTED, 0),
        refused=by_state.get(Delivery.State.REFUSED, 0),
        skipped=by_state.get(Delivery.State.SKIPPED, 0),
        unknown=by_state.get(Delivery.State.UNKNOWN, 0),
    )
