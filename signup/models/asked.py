"""When an address was last asked to confirm something."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, models


class AskedQuerySet(models.QuerySet["Asked"]):
    def take(self, hashes: Sequence[bytes], *, now: datetime, since: datetime) -> bool:
        """Take the one confirmation that an address gets a day; False when it was taken.

        `hashes` as from `signup.address.hashes_of`, the newest key first. Two at the same moment:
        one of them inserts or updates, the other sees that.
        """
        newest, *older = hashes
        if older and self.filter(address_hash__in=older, at__gt=since).exists():
            return False
        table = connection.ops.quote_name(self.model._meta.db_table)
        adapt = connection.ops.adapt_datetimefield_value
        with connection.cursor() as cursor:
            # Written, or left as it is: one statement, so that one of two at a time wins.
            cursor.execute(
                f"INSERT INTO {table} (address_hash, at) VALUES (%s, %s) "  # noqa: S608 - our table
                f"ON CONFLICT (address_hash) DO UPDATE SET at = excluded.at WHERE {table}.at <= %s",
                [newest, adapt(now), adapt(since)],
            )
            return bool(cursor.rowcount == 1)


class Asked(models.Model):
    """One row for each address that was asked within a day, under its keyed hash.

    It stands by itself, because the limit holds for the address and not for a reader: also for
    one that was erased meanwhile, and for one that another reader wants to move to.
    """

    # As in Suppression: key version, then HMAC-SHA-256 of the normalised address.
    address_hash = models.BinaryField(max_length=33, unique=True)
    at = models.DateTimeField(db_index=True)

    objects = AskedQuerySet.as_manager()
