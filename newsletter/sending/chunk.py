"""The next chunk of a batch, checked and marked as handed before its first byte goes out."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from newsletter.audience.in_sql import older_keys_bar, verdict
from newsletter.audience.reasons import Reason
from newsletter.sending import batch_sql
from newsletter.sending.claim import Claim
from newsletter.sending.clock import database_now, steady
from newsletter.sending.copies import Copies, Prepared
from newsletter.sending.errors import LostLease
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.row import Row
from newsletter.sending.skip import skip

# What `_queued` reads behind a Row's own columns.
_ROW = len(Row._fields)
# By statistics from when all of the mailing before was queued, PostgreSQL expects a batch to be
# two or three times what it is. Then it would read all readers for each chunk, and start another
# process for that: 40 instead of 4 µs a reader. For this transaction only.
_ONE_BY_ONE = (
    "SELECT set_config('enable_mergejoin', 'off', true),"
    " set_config('enable_hashjoin', 'off', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)
# Instead of a mailing's state: it is being sent, and not at this hour.
HOURS_ARE_OVER = "hours are over"


class Chunk(NamedTuple):
    """`rows` are checked and may go: each must get an outcome, or be put back.

    `last` says that nothing is queued behind what was looked at. `must_wait` says that what
    comes next is a second copy, which goes alone. `checked_at` is the steady clock's time from
    before the look at the readers.
    """

    mailing_state: str
    rows: Sequence[Row] = ()
    copies: Prepared | None = None
    last: bool = False
    must_wait: bool = False
    checked_at: float = 0.0


def next_chunk(claim: Claim, size: int, copies: Copies, *, alone: bool = True) -> Chunk:
    """Look at up to `size` deliveries, skip who may not be mailed, hand over the others.

    `alone` says that nothing of this batch is under way just now.

    One transaction: it reads the readers, skips, and with one conditional UPDATE renews the lease,
    moves `handed_upto` and proves that the mailing is still being sent and the batch ours. So
    pausing or unsubscribing is either seen here or was answered later (invariant 4), and whoever
    takes the batch over knows what may have gone (invariant 7).

    Raises LostLease when somebody else has the batch, ContentDamaged when no copy can be made.
    """
    with claim.lease.renewing(), transaction.atomic():
        checked_at = steady()
        found = _queued(claim, size + 1)
        last = len(found) <= size
        found = found[:size]
        rows = [Row._make(values[:_ROW]) for values in found]
        cut = _cut(rows)
        if cut < len(rows):
            rows, found, last = rows[:cut], found[:cut], False
        if rows and rows[0].resent and not alone:
            return Chunk(Mailing.State.SENDING, must_wait=True)
        barred = _barred(claim, rows, found)
        eligible = [row for row in rows if row.pk not in barred]
        prepared = copies.prepare(eligible)
        for row in eligible:
            if prepared.is_empty(row):
                barred[row.pk] = Delivery.SkipReason.NOTHING_LEFT
        sendable = [row for row in rows if row.pk not in barred] if barred else rows
        stopped = _hand_over(claim, sendable, alone=alone)
        if stopped:
            return Chunk(stopped)
        if barred:
            _skip(claim, rows, barred)
    if rows:
        claim.reached = rows[-1].place + 1
    return Chunk(Mailing.State.SENDING, sendable, prepared, last, checked_at=checked_at)


def _cut(rows: Sequence[Row]) -> int:
    """Return how many of `rows` go together.

    One that is sent a second time has no third chance, so it is handed over alone: should this
    worker's machine be lost too, no other copy becomes unknown for good with it.
    """
    if rows and rows[0].resent:
        return 1
    return next((at for at, row in enumerate(rows) if row.resent), len(rows))


def _hand_over(claim: Claim, rows: Sequence[Row], *, alone: bool) -> str:
    """Move the mark past `rows`. Returns "", or why nothing of it goes just now: the mailing's
    state, or that its hours are over."""
    upto = rows[-1].place + 1 if rows else 0
    # While nothing is under way the mark may also go back, to before what was put back.
    claim.handed_upto = upto if alone else max(upto, claim.handed_upto)
    held, mailing = (claim.batch_id, claim.epoch), claim.mailing.pk
    mark = claim.handed_upto if rows else None
    if batch_sql.hand_over(held, mailing, claim.lease.seconds, mark):
        return ""
    if Batch.objects.filter(claim.held(), not_after__lte=database_now()).exists():
        return HOURS_ARE_OVER
    state = Mailing.objects.values_list("state", flat=True).get(pk=mailing)
    if state == Mailing.State.SENDING or not Batch.objects.filter(claim.held()).exists():
        raise LostLease
    return state


def _barred(
    claim: Claim, rows: Sequence[Row], found: Sequence[Sequence[Any]]
) -> dict[int, Delivery.SkipReason]:
    barred = {
        row.pk: Delivery.SkipReason(values[_ROW])
        for row, values in zip(rows, found, strict=True)
        if values[_ROW] is not None
    }
    doubtful: dict[int, Reason] = older_keys_bar(
        claim.mailing.newsletter,
        [(values[2], values[_ROW + 1]) for values in found if values[_ROW] is None],
        through_pauses=claim.mailing.goes_through_pauses,
    )
    if doubtful:
        for row in rows:
            if row.subscriber in doubtful:
                barred[row.pk] = Delivery.SkipReason(doubtful[row.subscriber])
    return barred


def _skip(claim: Claim, rows: Sequence[Row], barred: dict[int, Delivery.SkipReason]) -> None:
    reasons: defaultdict[Delivery.SkipReason, list[tuple[int, bool]]] = defaultdict(list)
    for row in rows:
        if row.pk in barred:
            reasons[barred[row.pk]].append((row.pk, row.resent))
    skip(claim.mailing, Batch.objects.filter(claim.held()), reasons)


def _queued(claim: Claim, limit: int) -> list[list[Any]]:
    """Read rows behind what this claim has looked at, each with its verdict and address hash.

    Written out, because it is the one query whose cost is paid for every reader.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    mailing = claim.mailing
    said = verdict(mailing.newsletter, through_pauses=mailing.goes_through_pauses)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ONE_BY_ONE)
        cursor.execute(
            "SELECT d.id, d.place, d.subscriber_id, d.edition_id, d.attempt, d.resent,"  # noqa: S608
            " reader.email, reader.first_name, reader.language, reader.timezone, reader.text_only,"
            f" sub.id, d.article_ids, {said}, reader.address_hash"
            " FROM sending_delivery d"
            " JOIN signup_subscriber reader ON reader.id = d.subscriber_id"
            " LEFT JOIN signup_subscription sub ON sub.subscriber_id = d.subscriber_id"
            " AND sub.newsletter_id = %s"
            " WHERE d.batch_id = %s AND d.state = 'queued' AND d.retry_at IS NULL"
            " AND d.place >= %s ORDER BY d.place LIMIT %s",
            [now, mailing.newsletter_id, claim.batch_id, claim.reached, limit],
        )
        found = cursor.fetchall()
    rows = []
    for values in found:
        if values[12] is not None or values[5].__class__ is not bool:
            # SQLite knows neither booleans nor JSON.
            listed = list(values)
            listed[5], listed[10] = bool(values[5]), bool(values[10])
            if isinstance(values[12], str):
                listed[12] = json.loads(values[12])
            rows.append(listed)
        else:
            rows.append(values)
    return rows
