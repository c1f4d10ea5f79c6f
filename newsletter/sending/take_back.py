"""A batch is taken back from a worker that is gone, with whatever is known of what it did."""

import logging
from collections.abc import Mapping

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from newsletter.sending import bulk
from newsletter.sending.clock import database_now
from newsletter.sending.journal import Left, left_behind
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.record import prove_late, retry_of_unknown

log = logging.getLogger(__name__)

_State = Delivery.State


def take_back(mailing: Mailing, batch: Batch) -> int | None:
    """Take a batch whose lease has run out from its worker, and fence that worker out.

    Rows beyond `handed_upto` were never handed, and are queued as they are. Of rows before it
    without an outcome nobody knows whether they went out: they become unknown (invariant 7).

    Returns how many became unknown; None when the worker renewed or released meanwhile, or holds
    the row just now: one that was stopped in the middle of a transaction does, until the database
    ends that (batch_sql.SILENCE). The other batches need not wait for it.
    """
    with transaction.atomic():
        if not _is_free(batch.pk) or not _fence(batch.pk, batch.epoch, expired=True):
            return None
        unknown = _settle(mailing, batch.pk, batch.epoch, Left(), knows_all=False)
    log.warning(
        "Batch %s was taken from %s: %s unknown", batch.pk, batch.worker or "nobody", unknown
    )
    return unknown


def read_journals() -> int:
    """Act on the journals that dead processes left on this host. Returns how many there were.

    A batch that its dead worker still holds is taken back at once: nobody will renew its lease.
    """
    found = 0
    for left in left_behind(settings.SENDING_JOURNAL_DIR):
        found += 1
        for batch, epoch, stamp in left.batches:
            if stamp_of(Mailing.objects.filter(batches=batch).first()) == stamp:
                act_on(batch, epoch, left)
    return found


def stamp_of(mailing: Mailing | None) -> bytes:
    """Return eight bytes that no other mailing has, in whatever database; older ones have zeros."""
    return bytes(mailing.salt)[:8].rjust(8, b"\0") if mailing else b""


def act_on(batch_id: int, epoch: int, left: Left) -> None:
    """Write down what is known of a claim that is over; harmless when done twice."""
    batch = Batch.objects.filter(pk=batch_id).select_related("mailing__newsletter").first()
    if batch is None:
        return
    with transaction.atomic():
        if _fence(batch_id, epoch, expired=False):
            unknown = _settle(batch.mailing, batch_id, epoch, left, knows_all=left.is_whole)
            log.warning("Batch %s: its worker is gone, %s unknown", batch_id, unknown)
            return
    # Somebody took it back before, knowing less.
    proved = prove_late(_of_batch(batch_id, left.accepted).items())
    queued = _queue_again(batch_id, epoch, left) if left.is_whole else 0
    if proved or queued:
        log.warning("Batch %s: %s proved late, %s were never sent", batch_id, proved, queued)


def _is_free(batch: int) -> bool:
    skipping = connection.features.has_select_for_update_skip_locked
    return Batch.objects.select_for_update(skip_locked=skipping).filter(pk=batch).exists()


def _fence(batch: int, epoch: int, *, expired: bool) -> bool:
    # The epoch alone shuts the old worker out: everything that it writes names its own.
    mine = Batch.objects.filter(pk=batch, epoch=epoch, state=Batch.State.CLAIMED)
    if expired:
        mine = mine.filter(lease_until__lt=database_now())
    return bool(
        mine.update(
            state=Batch.State.READY, epoch=epoch + 1, lease_until=None, worker="", fed_at=None
        )
    )


def _settle(mailing: Mailing, batch: int, epoch: int, left: Left, *, knows_all: bool) -> int:
    """Give every handed row of the batch what is known of it. Returns how many became unknown."""
    now = timezone.now()
    upto = Batch.objects.values_list("handed_upto", flat=True).get(pk=batch)
    handed = list(
        Delivery.objects.filter(
            batch=batch, state=_State.QUEUED, retry_at__isnull=True, place__lt=upto
        )
        .order_by("place")
        .values_list("pk", "attempt", "resent")
    )
    accepted = [pk for pk, attempt, _ in handed if left.accepted.get(pk) == attempt + 1]
    proved = set(accepted)
    lost = [
        (pk, resent)
        for pk, attempt, resent in handed
        if pk not in proved and (not knows_all or left.unknown.get(pk) == attempt + 1)
    ]
    changed = bulk.accept(batch, accepted, now)
    changed += bulk.change(
        batch,
        [
            bulk.Change(
                pk,
                _State.UNKNOWN,
                _lost_in(epoch),
                retry_of_unknown(mailing.newsletter, resent=resent, now=now),
                now,
            )
            for pk, resent in lost
        ],
    )
    assert changed == len(accepted) + len(lost)
    Batch.objects.filter(pk=batch).update(
        accepted=F("accepted") + len(accepted), unknown=F("unknown") + len(lost), handed_upto=0
    )
    return len(lost)


def _queue_again(batch_id: int, epoch: int, left: Left) -> int:
    """What became unknown with this very claim, and by its journal was never taken or certainly
    refused, goes back to where it was: unknown → queued, no attempt. Of a mailing that has ended
    it stays unknown: nobody would send it, and it would be open for ever."""
    known = left.accepted.keys() | left.unknown.keys()
    with transaction.atomic():
        going = Mailing.objects.select_for_update(no_key=True).filter(
            batches=batch_id, ended_at__isnull=True
        )
        if not going.exists():
            return 0
        # Locks the batch's row, as everything that counts does.
        Batch.objects.filter(pk=batch_id).update(unknown=F("unknown"))
        unknown = Delivery.objects.filter(
            batch=batch_id, state=_State.UNKNOWN, reply=_lost_in(epoch)
        )
        again = [pk for pk in unknown.order_by().values_list("pk", flat=True) if pk not in known]
        changed = unknown.filter(pk__in=again).update(
            state=_State.QUEUED,
            attempt=F("attempt") - 1,
            reply="",
            outcome_at=None,
            # Its batch may be done by now: the feeder moves what is due into a new one.
            retry_at=timezone.now(),
        )
        Batch.objects.filter(pk=batch_id).update(unknown=F("unknown") - changed)
    return changed


def _lost_in(epoch: int) -> str:
    """What the row says instead of a reply; tells which claim it was lost with."""
    return f"the worker was lost (epoch {epoch})"


def _of_batch(batch: int, attempts: Mapping[int, int]) -> dict[int, int]:
    ids = Delivery.objects.filter(batch=batch, state=_State.UNKNOWN).values_list("pk", flat=True)
    return {pk: attempts[pk] for pk in ids if pk in attempts}
