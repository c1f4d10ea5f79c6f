"""What became of a safety alert, over all its mailings: who has it, and who is still without."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from newsletter.sending.alert_readers import REACHED
from newsletter.sending.balance import FIELDS, Counts, counts, recount
from newsletter.sending.models import Delivery, Mailing, SafetyAlert
from newsletter.sending.unreached import Unreached

_State = Delivery.State


@dataclass(frozen=True, slots=True)
class AlertReport:
    """`planned = accepted + refused + skipped + unknown + open`; `skipped` by reason too."""

    counts: Counts
    reasons: dict[str, int]
    # The deliveries themselves say the same as the counts kept with the batches.
    balances: bool
    retrying: int

    @property
    def unreached(self) -> int:
        """Readers who certainly do not have it now. Unknown ones may."""
        return self.counts.refused + self.counts.skipped + self.counts.open


def report_of(alert: SafetyAlert) -> AlertReport:
    mailings = list(Mailing.objects.filter(alert=alert))
    kept = [counts(mailing) for mailing in mailings]
    deliveries = Delivery.objects.filter(mailing__in=mailings)
    reasons = dict(
        deliveries.filter(state=_State.SKIPPED)
        .order_by()
        .values_list("skip_reason")
        .annotate(number=Count("pk"))
    )
    return AlertReport(
        counts=Counts(**{name: sum(getattr(one, name) for one in kept) for name in FIELDS}),
        reasons={str(Delivery.SkipReason(reason).label): n for reason, n in reasons.items()},
        balances=kept == [recount(mailing) for mailing in mailings],
        retrying=deliveries.filter(retry_at__isnull=False).count(),
    )


def without_it(alert: SafetyAlert, *, after: int = 0, most: int = 100) -> Sequence[Unreached]:
    """Return readers without it, in the order of their deliveries, behind the one called `after`.

    Health data: who is in this list follows what the alert is about (invariant 11).
    """
    rows = (
        Delivery.objects.filter(Q(pk__gt=after), mailing__alert=alert)
        .exclude(state__in=REACHED)
        .order_by("pk")
        .values_list(
            "pk", "subscriber_id", "subscriber__email", "state", "skip_reason", "reply", "retry_at"
        )[:most]
    )
    return [
        Unreached(pk, reader, address, reason or state, reply, retry_at is not None)
        for pk, reader, address, state, reason, reply, retry_at in rows
    ]
