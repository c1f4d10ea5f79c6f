"""Due retries, and unknowns to be sent once more, move into new batches.

The counts move with them (invariant 5): what leaves a batch is no longer planned there, and an
unknown that is tried again is open, not unknown.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from newsletter.sending import brakes
from newsletter.sending.errors import OutOfBalance
from newsletter.sending.hours import span_of
from newsletter.sending.models import Batch, Delivery, Mailing, Wave
from newsletter.sending.plan import BATCH

log = logging.getLogger(__name__)

AT_ONCE = 20 * BATCH


class _Due(NamedTuple):
    pk: int
    mailing: int
    batch: int
    state: str
    # Whose turn it was with it, where readers' clocks decide.
    wave: int | None = None
    # The recipient's domain, if it is mailed more slowly just now.
    domain: str = ""


def gather(now: datetime) -> int:
    """Move what is due at `now` into batches of its own. Returns how many deliveries moved."""
    rows = [
        _Due(*values)
        for values in Delivery.objects.filter(
            retry_at__lte=now, mailing__state=Mailing.State.SENDING
        )
        .order_by("retry_at", "pk")
        .values_list("pk", "mailing_id", "batch_id", "state", "batch__wave")[:AT_ONCE]
    ]
    # Second copies by themselves: they are handed over one by one, which must not slow the others.
    # Those of a slowed domain too: they wait together, and nobody else waits with them. And those
    # whose clocks go alike: they have their hours together.
    alike: defaultdict[tuple[int, bool, str, int | None], list[_Due]] = defaultdict(list)
    for row in _with_domains(rows):
        alike[row.mailing, row.state == Delivery.State.UNKNOWN, row.domain, row.wave].append(row)
    moved = 0
    for (mailing, _, domain, wave), due in alike.items():
        for start in range(0, len(due), BATCH):
            try:
                moved += _move(mailing, due[start : start + BATCH], now, domain, wave)
            except (OutOfBalance, IntegrityError):
                # Another feeder was faster with some of these rows, which shows either here or
                # in the constraint on the old batch's counts. Nothing was changed, and the next
                # tick sees what is left.
                log.warning("Mailing %s: retries were gathered by somebody else", mailing)
    return moved


def _with_domains(rows: list[_Due]) -> list[_Due]:
    if not rows:
        return rows
    brakes.take({})  # hears who is slowed
    if not brakes.braked():
        return rows
    emails = dict(
        Delivery.objects.filter(pk__in=[row.pk for row in rows])
        .order_by()
        .values_list("pk", "subscriber__email")
    )
    at = {row.pk: brakes.domain_of(emails.get(row.pk) or "") for row in rows}
    known = brakes.braked()
    return [row._replace(domain=at[row.pk]) if at[row.pk] in known else row for row in rows]


def _move(
    mailing: int, due: Sequence[_Due], now: datetime, domain: str = "", wave: int | None = None
) -> int:
    """Move all of `due`, or raise OutOfBalance and move none."""
    span = span_of(
        Mailing.objects.select_related("schedule").get(pk=mailing),
        Wave.objects.get(pk=wave) if wave else None,
        now,
    )
    with transaction.atomic():
        batch = Batch.objects.create(
            mailing_id=mailing,
            planned=len(due),
            domain=domain,
            wave_id=wave,
            not_before=span.opens if span else None,
            not_after=span.closes if span else None,
        )
        leaving = Counter(row.batch for row in due)
        unknown = Counter(row.batch for row in due if row.state == Delivery.State.UNKNOWN)
        # Batches before deliveries, in the order of their ids, as everywhere: no deadlock.
        for old in sorted(leaving):
            Batch.objects.filter(pk=old).update(
                planned=F("planned") - leaving[old], unknown=F("unknown") - unknown[old]
            )
        table = connection.ops.quote_name(Delivery._meta.db_table)
        values = ", ".join(["(%s, %s, %s, %s)"] * len(due))
        with connection.cursor() as cursor:
            # Only rows that are still as they were read: neither moved nor tried meanwhile.
            # column1 … are what both databases call the columns of VALUES.
            cursor.execute(
                f"UPDATE {table} SET batch_id = %s, place = due.column2, retry_at = NULL,"  # noqa: S608
                f" state = %s, resent = ({table}.resent OR due.column4 = %s)"
                f" FROM (VALUES {values}) AS due"
                f" WHERE {table}.id = due.column1 AND {table}.batch_id = due.column3"
                f" AND {table}.state = due.column4 AND {table}.retry_at IS NOT NULL",
                [
                    batch.pk,
                    Delivery.State.QUEUED.value,
                    Delivery.State.UNKNOWN.value,
                    *(
                        value
                        for place, row in enumerate(due)
                        for value in (row.pk, place, row.batch, row.state)
                    ),
                ],
            )
            if cursor.rowcount != len(due):
                raise OutOfBalance
    return len(due)
