"""A worker takes a batch: a conditional UPDATE that raises the epoch."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from newsletter.sending.clock import database_in, database_now, steady
from newsletter.sending.lease import Lease
from newsletter.sending.models import Batch, Mailing


@dataclass(slots=True)
class Claim:
    """The right to send one batch, as long as its epoch stands and the lease is renewed."""

    batch_id: int
    epoch: int
    worker: str
    mailing: Mailing
    lease: Lease = field(repr=False)

    def held(self) -> Q:
        """Every write for this batch says WHERE epoch = mine (invariant 3)."""
        return Q(pk=self.batch_id, epoch=self.epoch, state=Batch.State.CLAIMED)


def claim(batch_id: int, worker: str) -> Claim | None:
    """Claim a batch for `worker`, a name for people to read.

    None when it is claimed already, done, not due, or its mailing is not being sent: an id may
    arrive twice or late, and that is harmless.
    """
    batch = (
        Batch.objects.filter(pk=batch_id)
        .select_related("mailing__newsletter", "mailing__issue")
        .first()
    )
    if batch is None or batch.mailing.state != Mailing.State.SENDING:
        return None
    seconds = settings.SENDING_LEASE_SECONDS
    lease = Lease(seconds, since=steady())
    with transaction.atomic():
        taken = (
            Batch.objects.filter(pk=batch_id, epoch=batch.epoch, state=Batch.State.READY)
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=database_now()))
            .update(
                state=Batch.State.CLAIMED,
                epoch=batch.epoch + 1,
                lease_until=database_in(seconds),
                worker=worker[:120],
                fed_at=None,
            )
        )
    if not taken:
        return None
    # Should the mailing be paused at this very moment, the first chunk's own look sees it.
    return Claim(batch_id, batch.epoch + 1, worker, batch.mailing, lease)
