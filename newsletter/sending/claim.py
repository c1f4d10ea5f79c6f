"""A worker takes a batch: a conditional UPDATE that raises the epoch."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from newsletter.sending import batch_sql
from newsletter.sending.clock import database_in, database_now, steady
from newsletter.sending.lease import Lease
from newsletter.sending.models import Batch, Mailing

# How long a batch that was handed to the workers may stay unclaimed until that counts no more.
HINT_SECONDS = 30.0


@dataclass(slots=True)
class Claim:
    """The right to send one batch, as long as its epoch stands and the lease is renewed."""

    batch_id: int
    epoch: int
    worker: str
    mailing: Mailing
    # Where all of it goes, for a batch of one domain that is mailed more slowly.
    domain: str
    lease: Lease = field(repr=False)
    # The place up to which this claim has looked at its rows, and up to which it handed them over.
    reached: int = 0
    handed_upto: int = 0

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
    # Should the mailing be paused at this very moment, the first chunk's own look sees it.
    return _take(batch, worker)


def claim_another(mailing: Mailing, worker: str) -> Claim | None:
    """Claim the next batch of a mailing that this worker is sending already.

    Only what the feeder has not handed to anybody, so that ids in the queue keep their meaning.
    """
    seconds = settings.SENDING_LEASE_SECONDS
    lease = Lease(seconds, since=steady())
    fed_before = timezone.now() - timedelta(seconds=HINT_SECONDS)
    taken = batch_sql.take_next(mailing.pk, worker[:120], seconds, fed_before)
    if taken is None:
        return None
    batch, epoch, domain = taken
    return Claim(batch, epoch, worker, mailing, domain, lease)


def _take(batch: Batch, worker: str) -> Claim | None:
    seconds = settings.SENDING_LEASE_SECONDS
    lease = Lease(seconds, since=steady())
    taken = (
        Batch.objects.filter(pk=batch.pk, epoch=batch.epoch, state=Batch.State.READY)
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=database_now()))
        .filter(Q(not_after__isnull=True) | Q(not_after__gt=database_now()))
        .update(
            state=Batch.State.CLAIMED,
            epoch=batch.epoch + 1,
            lease_until=database_in(seconds),
            worker=worker[:120],
            fed_at=None,
            # Every claim begins with nothing on its way.
            handed_upto=0,
        )
    )
    if not taken:
        return None
    return Claim(batch.pk, batch.epoch + 1, worker, batch.mailing, batch.domain, lease)
