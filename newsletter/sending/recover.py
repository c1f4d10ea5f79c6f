"""What was left lying is taken up: batches whose worker is gone, mailings that are through."""

import logging
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.sending.clock import database_now
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.record import retry_of_unknown
from newsletter.sending.settle import empty_cancelled, end_if_balanced

log = logging.getLogger(__name__)

_State = Mailing.State


@dataclass(slots=True)
class Recovered:
    """What one sweep found to do."""

    batches: int = 0
    unknown: int = 0
    ended: int = 0


def recover() -> Recovered:
    """Sweep once over every mailing that is under way. Harmless at any time and any number of
    times: each step is a conditional UPDATE."""
    found = Recovered()
    under_way = Mailing.objects.filter(
        state__in=[_State.SENDING, _State.PAUSED, _State.CANCELLED], ended_at__isnull=True
    ).select_related("newsletter")
    for mailing in under_way:
        expired = Batch.objects.filter(
            mailing=mailing, state=Batch.State.CLAIMED, lease_until__lt=database_now()
        )
        for batch in expired.order_by("pk"):
            unknown = take_back(mailing, batch)
            if unknown is not None:
                found.batches += 1
                found.unknown += unknown
        if mailing.state == _State.CANCELLED:
            empty_cancelled(mailing)
        found.ended += end_if_balanced(mailing.pk)
    return found


def take_back(mailing: Mailing, batch: Batch) -> int | None:
    """Take a batch whose lease has run out from its worker, and fence that worker out.

    Rows beyond `handed_upto` were never handed, and are queued as they are. Of rows before it
    without an outcome nobody knows whether they went out: they become unknown (invariant 7).

    Returns how many became unknown; None when the worker renewed or released meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        # The epoch alone shuts the old worker out: everything that it writes names its own.
        taken = Batch.objects.filter(
            pk=batch.pk,
            epoch=batch.epoch,
            state=Batch.State.CLAIMED,
            lease_until__lt=database_now(),
        ).update(
            state=Batch.State.READY,
            epoch=batch.epoch + 1,
            lease_until=None,
            worker="",
            fed_at=None,
        )
        if not taken:
            return None
        upto = Batch.objects.values_list("handed_upto", flat=True).get(pk=batch.pk)
        handed = Delivery.objects.filter(batch=batch, state=Delivery.State.HANDED)
        # Never tried, so not an attempt.
        handed.filter(place__gte=upto).update(state=Delivery.State.QUEUED, attempt=F("attempt") - 1)
        unknown = handed.filter(place__lt=upto, resent=False).update(
            state=Delivery.State.UNKNOWN,
            outcome_at=now,
            reply="the worker was lost",
            retry_at=retry_of_unknown(mailing.newsletter, resent=False, now=now),
        )
        # Sent a second time already: final.
        unknown += handed.filter(place__lt=upto, resent=True).update(
            state=Delivery.State.UNKNOWN, outcome_at=now, reply="the worker was lost"
        )
        Batch.objects.filter(pk=batch.pk).update(unknown=F("unknown") + unknown)
    log.warning(
        "Batch %s was taken from %s: %s unknown", batch.pk, batch.worker or "nobody", unknown
    )
    return unknown
