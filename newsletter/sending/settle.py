"""A mailing comes to its end: cancelled ones are emptied, and one ends only when it balances."""

import logging

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from newsletter.sending.balance import counts, recount
from newsletter.sending.batch_sql import any_open
from newsletter.sending.control import stop_for_trouble
from newsletter.sending.errors import LostLease
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.skip import skip

log = logging.getLogger(__name__)

_State = Mailing.State
# Batches of a cancelled mailing that one sweep empties.
AT_ONCE = 200


def end_if_balanced(mailing_id: int) -> bool:
    """End a mailing in which nothing is open and nothing waits to be tried again (invariant 5).

    A cancelled one stays cancelled and gets its end noted. One that does not balance, which
    would be a fault of ours, is paused with that said instead of being called sent.
    """
    if any_open(mailing_id):
        return False
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing is None or mailing.ended_at is not None:
        return False
    if mailing.state not in (_State.SENDING, _State.CANCELLED):
        return False
    if Delivery.objects.filter(mailing=mailing, retry_at__isnull=False).exists():
        return False
    kept = counts(mailing)
    if kept.open:
        return False
    # Looked at twice: a late proof between the two statements makes them differ for a moment.
    if kept != recount(mailing) and counts(mailing) != recount(mailing):
        stop_for_trouble(mailing_id, "The counts do not add up. Please report this.")
        return False
    state = _State.ENDED if mailing.state == _State.SENDING else _State.CANCELLED
    return bool(
        Mailing.objects.filter(pk=mailing_id, state=mailing.state, ended_at__isnull=True).update(
            state=state, ended_at=timezone.now()
        )
    )


def empty_cancelled(mailing: Mailing) -> int:
    """Skip what a cancelled mailing still has open. Returns how many batches were emptied.

    Batches that a worker holds are left to it: it lets go at its next chunk.
    """
    waiting = Delivery.objects.filter(mailing=mailing, retry_at__isnull=False)
    left = (
        Batch.objects.filter(mailing=mailing)
        .exclude(state=Batch.State.CLAIMED)
        .filter(
            Q(state=Batch.State.READY)
            | Q(pk__in=waiting.order_by().values("batch"))
            | Q(planned__gt=F("accepted") + F("refused") + F("skipped") + F("unknown"))
        )
    )
    emptied = 0
    for pk, epoch in left.order_by("pk").values_list("pk", "epoch")[:AT_ONCE]:
        try:
            _empty(mailing, pk, epoch)
        except LostLease:
            continue
        emptied += 1
    return emptied


def _empty(mailing: Mailing, batch: int, epoch: int) -> None:
    with transaction.atomic():
        taken = Batch.objects.filter(pk=batch, epoch=epoch).exclude(state=Batch.State.CLAIMED)
        if not taken.update(state=Batch.State.DONE, epoch=epoch + 1, not_before=None):
            raise LostLease
        rows = list(
            Delivery.objects.filter(batch=batch, state=Delivery.State.QUEUED)
            .order_by()
            .values_list("pk", "resent")
        )
        skip(
            mailing,
            Batch.objects.filter(pk=batch, epoch=epoch + 1),
            {Delivery.SkipReason.CANCELLED: rows},
        )
        # An unknown that waited to be sent once more stays unknown.
        Delivery.objects.filter(
            batch=batch, state=Delivery.State.UNKNOWN, retry_at__isnull=False
        ).update(retry_at=None)
