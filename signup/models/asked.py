"""When an address was last asked to confirm something."""

from collections.abc import Sequence
from datetime import datetime

from django.db import models


class AskedQuerySet(models.QuerySet["Asked"]):
    def take(self, hashes: Sequence[bytes], *, now: datetime, since: datetime) -> bool:
        """Take the one confirmation that an address gets a day; False when it was taken.

        `hashes` as from `signup.address.hashes_of`, the newest key first. Two at the same moment:
        one of them inserts or updates, the other sees that.
        """
        if self.filter(address_hash__in=hashes, at__gt=since).exists():
            return False
        row, created = self.get_or_create(address_hash=hashes[0], defaults={"at": now})
        if created:
            return True
        return self.filter(pk=row.pk, at__lte=since).update(at=now) == 1


class Asked(models.Model):
    """One row for each address that was asked within a day, under its keyed hash.

    It stands by itself, because the limit holds for the address and not for a reader: also for
    one that was erased meanwhile, and for one that another reader wants to move to.
    """

    # As in Suppression: key version, then HMAC-SHA-256 of the normalised address.
    address_hash = models.BinaryField(max_length=33, unique=True)
    at = models.DateTimeField(db_index=True)

    objects = AskedQuerySet.as_manager()
