"""What the relay said, written down: outcomes in bulk, counts in the same transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.sending import batch_sql, bulk
from newsletter.sending.backoff import delay_after, lumped
from newsletter.sending.claim import Claim
from newsletter.sending.errors import LostLease, OutOfBalance
from newsletter.sending.models import Batch, Delivery
from newsletter.sending.row import Row
from newsletter.transports.values import Outcome, Receipt

_State = Delivery.State
_ACCEPTED = Outcome.ACCEPTED

# A single reader whose provider answers 5.7.x, however often staff mend and resume, must not
# stop the mailing for ever: after this many attempts the refusal counts as refused.
PATIENCE_WITH_OURS = 3


# For a row that its domain's brake held back, and how long until it is looked at again: with the
# others of its domain, which then wait as whole batches, so that its row is written only this once.
WAITS = Receipt(Outcome.TEMPORARY, reply="this domain is mailed more slowly just now")
WAIT = timedelta(seconds=2)


def record(claim: Claim, results: Sequence[tuple[Row, Receipt]], *, finished: bool = False) -> None:
    """Write the outcomes of what was handed over. `finished` says that nothing of the batch is
    left to be sent now; what is to be tried again will move to a new batch.

    Raises LostLease, having written nothing, when somebody else has the batch meanwhile.
    """
    now = timezone.now()
    accepted = [row.pk for row, receipt in results if receipt.outcome is _ACCEPTED]
    others = [
        _change(claim.mailing.newsletter, row, receipt, now)
        for row, receipt in results
        if receipt.outcome is not _ACCEPTED
    ]
    ends = Counter(change.state for change in others)
    with transaction.atomic():
        # First of all, because it locks the batch's row until the commit.
        if not batch_sql.count(
            (claim.batch_id, claim.epoch),
            accepted=len(accepted),
            refused=ends[_State.REFUSED],
            unknown=ends[_State.UNKNOWN],
            finished=finished,
        ):
            raise LostLease
        changed = bulk.accept(claim.batch_id, accepted, now)
        changed += bulk.change(claim.batch_id, others)
        if changed != len(results):
            raise OutOfBalance(f"{len(results)} outcomes, {changed} written")


def _change(newsletter: Newsletter, row: Row, receipt: Receipt, now: datetime) -> bulk.Change:
    """Return what becomes of a delivery that was not accepted."""
    reply = receipt.as_line()
    if receipt is WAITS:
        # To be gathered with others of its domain; nobody refused anything.
        look = lumped(now + WAIT, timedelta(minutes=5))
        return bulk.Change(row.pk, _State.QUEUED, reply, look, None, tried=False)
    if receipt.outcome is Outcome.UNKNOWN:
        again = retry_of_unknown(newsletter, resent=row.resent, now=now)
        return bulk.Change(row.pk, _State.UNKNOWN, reply, again, now)
    if receipt.outcome is Outcome.PERMANENT:
        return bulk.Change(row.pk, _State.REFUSED, reply, None, now)
    attempt = row.attempt + 1
    wait = delay_after(attempt)
    if receipt.outcome is Outcome.OURS and attempt >= PATIENCE_WITH_OURS:
        wait = None
    if wait is None:
        # The first copy of one that is sent again may have arrived; nobody knows, and that stays.
        final = _State.UNKNOWN if row.resent else _State.REFUSED
        return bulk.Change(row.pk, final, reply, None, now)
    return bulk.Change(row.pk, _State.QUEUED, reply, lumped(now + wait, wait), None)


def retry_of_unknown(newsletter: Newsletter, *, resent: bool, now: datetime) -> datetime | None:
    """Return when an unknown is to be sent once more; None when it never is (invariant 7)."""
    if resent or newsletter.unknown_policy != Newsletter.UnknownPolicy.RESEND:
        return None
    wait = timedelta(seconds=settings.SENDING_UNKNOWN_AFTER_SECONDS)
    return lumped(now + wait, wait)


def prove_late(accepted: Iterable[tuple[int, int]]) -> int:
    """What the relay accepted, known only after its batch was taken back: unknown → accepted.

    `accepted` are ids of deliveries, each with the attempt that was accepted, 1 being the first.
    Only while that is the delivery's last attempt; one that is queued to be sent once more, or
    already was, is left to that. Returns how many were proved.
    """
    proved = 0
    for pk, attempt in accepted:
        unknown = Delivery.objects.filter(pk=pk, state=_State.UNKNOWN, attempt=attempt)
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
