"""When an address was last asked to confirm something."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import connection, models

from signup.models import plain
from signup.models.suppression import Suppression

EVERY = timedelta(days=1)
EVERY_IF_SUPPRESSED = timedelta(days=30)


class Asked(models.Model):
    """One row for each address that was asked within a day, under its keyed hash.

    It stands by itself, because the limit holds for the address and not for a reader: also for
    one that was erased meanwhile, and for one that another reader wants to move to.
    """

    # As in Suppression: key version, then HMAC-SHA-256 of the normalised address.
    address_hash = models.BinaryField(max_length=33, unique=True)
    at = models.DateTimeField(db_index=True)


def add_taking(
    trip: plain.Trip,
    hashes: Sequence[bytes],
    now: datetime,
    *,
    only_if: str = "",
    values: Sequence[Any] = (),
) -> None:
    """Add the statement that takes the one confirmation an address gets a day.

    It returns a row if it was there to be taken: none in the last day, for a suppressed address
    none in 30 days, and `only_if` (with its `values`) holds. `hashes` as from
    `signup.address.hashes_of`, the newest key first. Two at the same moment: one of them inserts
    or updates, the other sees that.
    """
    since = now - EVERY
    trip.add(
        _taking(connection.vendor, len(hashes), only_if),
        [
            hashes[0], now, *hashes, now - EVERY_IF_SUPPRESSED, *hashes[1:],
            *([since] if len(hashes) > 1 else []), *values, since,
        ],
    )  # fmt: skip


def add_noting(trip: plain.Trip, hashes: Sequence[bytes], now: datetime, *, taken: bool) -> None:
    """Add the statement that begins a suppressed address' 30 days, if one was `taken`.

    The same statement for every address, though few are suppressed (invariant 13).
    """
    marks = ", ".join(["%s"] * len(hashes))
    trip.add(
        f"UPDATE {plain.table(Suppression)} SET confirmation_at = %s "  # noqa: S608 - our table
        f"WHERE address_hash IN ({marks}) AND %s",
        [now, *hashes, taken],
    )


@cache
def _taking(vendor: str, hashes: int, only_if: str) -> str:
    marks = ["%s"] * hashes
    conditions = [
        f"NOT EXISTS (SELECT 1 FROM {plain.table(Suppression)} "  # noqa: S608 - our tables
        f"WHERE address_hash IN ({', '.join(marks)}) AND confirmation_at > %s)"
    ]
    if older := ", ".join(marks[1:]):
        conditions.append(
            f"NOT EXISTS (SELECT 1 FROM {plain.table(Asked)} "  # noqa: S608
            f"WHERE address_hash IN ({older}) AND at > %s)"
        )
    if only_if:
        conditions.append(only_if)
    return plain.insert_into(
        vendor,
        Asked,
        plain.given("address_hash", "at"),
        where=" AND ".join(conditions),
        conflict=(
            f"(address_hash) DO UPDATE SET at = excluded.at WHERE {plain.table(Asked)}.at <= %s"
        ),
        returning="1",
    )
