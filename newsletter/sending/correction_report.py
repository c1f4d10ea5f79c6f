"""Whom a correction reaches, and who cannot be reached: before it goes, and afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from newsletter.audience.eligibility import check
from newsletter.audience.in_sql import verdict
from newsletter.audience.reasons import Reason
from newsletter.editions.models import Issue
from newsletter.sending.balance import Counts, counts
from newsletter.sending.corrections import REACHED, had
from newsletter.sending.models import Delivery, Mailing
from newsletter.sending.unreached import Unreached
from signup.models import Subscriber

_State = Delivery.State


@dataclass(frozen=True, slots=True)
class Reach:
    """`had = counts.planned + left_out` once it is planned; before that, `had = would_get +
    left_out`."""

    # What became of the original.
    original: Counts
    # Who had it, or what corrected it before: accepted or unknown.
    had: int
    # Who would get the correction if it were planned now; 0 once it is.
    would_get: int
    # Who had it and gets no correction, by why.
    left_out: dict[Reason, int]
    # The correction's own mailing, once it is planned, and who of it was skipped, by why.
    mailing: Mailing | None = None
    counts: Counts = field(default_factory=Counts)
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def unreached(self) -> int:
        """Readers who have what was wrong and are certainly without the correction now."""
        gone = self.counts.refused + self.counts.skipped + self.counts.open
        return sum(self.left_out.values()) + gone


def reach_of(correction: Issue) -> Reach:
    """Count whom a correction reaches. Reads every reader who had the original once."""
    mailing = Mailing.objects.filter(issue=correction).order_by("-pk").first()
    if mailing is not None and mailing.state == Mailing.State.PLANNING:
        mailing = None
    first = Mailing.objects.filter(issue=correction.line()[-1]).order_by("pk").first()
    verdicts = _verdicts(correction, mailing)
    # Who was paused when it was planned and no longer is may be mailed today; too late for this.
    free = verdicts.get(None, 0)
    left_out = {Reason(why): number for why, number in verdicts.items() if why is not None}
    if mailing is not None and free:
        left_out[Reason.PAUSED] = left_out.get(Reason.PAUSED, 0) + free
    kept = counts(mailing) if mailing else Counts()
    return Reach(
        original=counts(first) if first else Counts(),
        had=sum(left_out.values()) + (kept.planned if mailing else free),
        would_get=0 if mailing else free,
        left_out=left_out,
        mailing=mailing,
        counts=kept,
        skipped=_skipped(mailing) if mailing else {},
    )


def without_it(correction: Issue, *, after: int = 0, most: int = 100) -> Sequence[Unreached]:
    """Return who has what was wrong and not the correction, by number, behind the one `after`.

    To be shown to whoever may see readers, with a line in the access log.
    """
    mailing = Mailing.objects.filter(issue=correction).order_by("-pk").first()
    has_it = Delivery.objects.filter(
        mailing=mailing, subscriber=OuterRef("subscriber"), state__in=REACHED
    )
    numbers = list(
        had(correction)
        .filter(~Exists(has_it), subscriber__gt=after)
        .order_by("subscriber")
        .values_list("subscriber", flat=True)
        .distinct()[:most]
    )
    verdicts = check(newsletter=correction.newsletter, subscriber_ids=numbers)
    addresses = dict(Subscriber.objects.filter(pk__in=numbers).values_list("pk", "email"))
    rows = {
        row[0]: row[1:]
        for row in Delivery.objects.filter(mailing=mailing, subscriber__in=numbers).values_list(
            "subscriber_id", "state", "skip_reason", "reply"
        )
    }
    found = []
    for number in numbers:
        state, skip_reason, reply = rows.get(number, ("", "", ""))
        reason = skip_reason or state or verdicts[number] or Reason.PAUSED
        found.append(Unreached(number, number, addresses.get(number), str(reason), reply))
    return found


def _verdicts(correction: Issue, mailing: Mailing | None) -> dict[str | None, int]:
    """Count who had the original and is not in the correction's mailing, by why they may not be
    mailed now; None is who may."""
    readers, params = (
        had(correction).order_by().values("subscriber_id").distinct().query.sql_with_params()
    )
    said = verdict(correction.newsletter)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT why, COUNT(*) FROM (SELECT {said} AS why FROM ({readers}) AS had"  # noqa: S608
            " JOIN signup_subscriber reader ON reader.id = had.subscriber_id"
            " LEFT JOIN signup_subscription sub ON sub.subscriber_id = had.subscriber_id"
            " AND sub.newsletter_id = %s"
            " WHERE NOT EXISTS (SELECT 1 FROM sending_delivery d WHERE d.mailing_id = %s"
            " AND d.subscriber_id = had.subscriber_id)) AS judged GROUP BY why",
            [
                connection.ops.adapt_datetimefield_value(timezone.now()),
                *params,
                correction.newsletter_id,
                mailing.pk if mailing else 0,
            ],
        )
        return dict(cursor.fetchall())


def _skipped(mailing: Mailing) -> dict[str, int]:
    reasons = Delivery.objects.filter(mailing=mailing, state=_State.SKIPPED)
    return {
        str(Delivery.SkipReason(reason).label): number
        for reason, number in (
            (reason, reasons.filter(skip_reason=reason).count())
            for reason in reasons.order_by().values_list("skip_reason", flat=True).distinct()
        )
    }
