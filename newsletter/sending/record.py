"""What the relay said, written down: outcomes in bulk, counts in the same transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.sending.backoff import delay_after, lumped
from newsletter.sending.claim import Claim
from newsletter.sending.errors import LostLease, OutOfBalance
from newsletter.sending.models import Batch, Delivery
from newsletter.sending.row import Row
from newsletter.transports.values import Outcome, Receipt

_State = Delivery.State

# A single reader whose provider answers 5.7.x, however often staff mend and resume, must not
# stop the mailing for ever: after this many attempts the refusal counts as refused.
PATIENCE_WITH_OURS = 3


def record(
    claim: Claim, results: Sequence[tuple[Row, Receipt]], put_back: Sequence[Row] = ()
) -> None:
    """Write the outcomes of a chunk; `put_back` are handed rows of which no byte went out.

    Raises LostLease, having written nothing, when somebody else has the batch meanwhile.
    """
    now = timezone.now()
    accepted = [row.pk for row, receipt in results if receipt.outcome is Outcome.ACCEPTED]
    others = [
        (row, _change(claim.mailing.newsletter, row, receipt, now))
        for row, receipt in results
        if receipt.outcome is not Outcome.ACCEPTED
    ]
    ends = Counter(change["state"] for _, change in others)
    with transaction.atomic():
        if not Batch.objects.filter(claim.held()).update(
            accepted=F("accepted") + len(accepted),
            refused=F("refused") + ends[_State.REFUSED],
            unknown=F("unknown") + ends[_State.UNKNOWN],
        ):
            raise LostLease
        handed = Delivery.objects.filter(batch=claim.batch_id, state=_State.HANDED)
        changed = handed.filter(pk__in=accepted).update(
            state=_State.ACCEPTED, outcome_at=now, reply=""
        )
        for row, change in others:
            changed += handed.filter(pk=row.pk).update(**change)
        # Never tried, so not an attempt.
        changed += handed.filter(pk__in=[row.pk for row in put_back]).update(
            state=_State.QUEUED, attempt=F("attempt") - 1
        )
        if changed != len(results) + len(put_back):
            raise OutOfBalance(f"{len(results) + len(put_back)} outcomes, {changed} written")


def _change(newsletter: Newsletter, row: Row, receipt: Receipt, now: datetime) -> dict[str, Any]:
    """Return what becomes of a delivery that was not accepted."""
    attempt = row.attempt + 1
    change: dict[str, Any] = {"reply": receipt.as_line(), "outcome_at": now}
    if receipt.outcome is Outcome.UNKNOWN:
        return change | {
            "state": _State.UNKNOWN,
            "retry_at": retry_of_unknown(newsletter, resent=row.resent, now=now),
        }
    if receipt.outcome is Outcome.PERMANENT:
        return change | {"state": _State.REFUSED}
    wait = delay_after(attempt)
    if receipt.outcome is Outcome.OURS and attempt >= PATIENCE_WITH_OURS:
        wait = None
    if wait is None:
        # The first copy of one that is sent again may have arrived; nobody knows, and that stays.
        return change | {"state": _State.UNKNOWN if row.resent else _State.REFUSED}
    return change | {
        "state": _State.QUEUED,
        "retry_at": lumped(now + wait, wait),
        "outcome_at": None,
    }


def retry_of_unknown(newsletter: Newsletter, *, resent: bool, now: datetime) -> datetime | None:
    """Return when an unknown is to be sent once more; None when it never is (invariant 7)."""
    if resent or newsletter.unknown_policy != Newsletter.UnknownPolicy.RESEND:
        return None
    wait = timedelta(seconds=settings.SENDING_UNKNOWN_AFTER_SECONDS)
    return lumped(now + wait, wait)


def prove_late(results: Iterable[tuple[Row, Receipt]]) -> int:
    """A worker that lost its lease still knows what the relay accepted: unknown → accepted.

    Only while the attempt is the one that was accepted; one that is queued to be sent once more,
    or already was, is left to that. Returns how many were proved.
    """
    proved = 0
    for row, receipt in results:
        if receipt.outcome is not Outcome.ACCEPTED:
            continue
        unknown = Delivery.objects.filter(pk=row.pk, state=_State.UNKNOWN, attempt=row.attempt + 1)
        batch = unknown.values_list("batch_id", flat=True).first()
        if batch is None:
            continue
        with transaction.atomic():
            counted = Batch.objects.filter(pk=batch, unknown__gt=0).update(
                unknown=F("unknown") - 1, accepted=F("accepted") + 1
            )
            changed = unknown.filter(batch=batch).update(
                state=_State.ACCEPTED, retry_at=None, outcome_at=timezone.now()
            )
            if counted and changed:
                proved += 1
            else:
                transaction.set_rollback(True)
    return proved
