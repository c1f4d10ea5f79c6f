"""Many deliveries in one statement, where PostgreSQL and SQLite want it said differently."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection


class Change(NamedTuple):
    """What becomes of a queued delivery that was tried and not accepted."""

    pk: int
    state: str
    reply: str
    retry_at: datetime | None
    outcome_at: datetime | None
    # Whether that counts as an attempt.
    tried: bool = True


_ACCEPT = (
    "UPDATE sending_delivery SET state = 'accepted', attempt = attempt + 1, outcome_at = %s,"
    " reply = '', retry_at = NULL WHERE batch_id = %s AND state = 'queued' AND id "
)
_CHANGE = (
    "UPDATE sending_delivery SET state = {0}state, reply = {0}reply, retry_at = {0}retry_at,"
    " outcome_at = {0}outcome_at, attempt = attempt + {0}tried"
)


def accept(batch: int, ids: Sequence[int], at: datetime) -> int:
    """Queued → accepted. Returns how many rows of the batch changed."""
    if not ids:
        return 0
    with connection.cursor() as cursor:
        when = connection.ops.adapt_datetimefield_value(at)
        if connection.vendor == "postgresql":
            cursor.execute(f"{_ACCEPT} = ANY(%s)", [when, batch, list(ids)])
        else:
            cursor.execute(
                f"{_ACCEPT} IN (SELECT value FROM json_each(%s))",  # noqa: S608
                [when, batch, json.dumps(ids)],
            )
        return int(cursor.rowcount)


def change(batch: int, changes: Sequence[Change]) -> int:
    """Write what became of queued deliveries. Returns how many rows of the batch changed."""
    if not changes:
        return 0
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns: list[list[Any]] = list(map(list, zip(*changes, strict=True)))
            columns[-1] = list(map(int, columns[-1]))
            cursor.execute(
                f"{_CHANGE.format('found.')} FROM unnest(%s::bigint[], %s::text[], %s::text[],"
                " %s::timestamptz[], %s::timestamptz[], %s::int[])"
                " AS found(pk, state, reply, retry_at, outcome_at, tried)"
                " WHERE sending_delivery.id = found.pk AND batch_id = %s"
                " AND sending_delivery.state = 'queued'",
                [*columns, batch],
            )
            return int(cursor.rowcount)
        changed = 0
        for one in changes:
            cursor.execute(
                "UPDATE sending_delivery SET state = %s, reply = %s, retry_at = %s,"
                " outcome_at = %s, attempt = attempt + %s"
                " WHERE id = %s AND batch_id = %s AND state = 'queued'",
                [
                    str(one.state), one.reply,
                    adapt(one.retry_at) if one.retry_at else None,
                    adapt(one.outcome_at) if one.outcome_at else None,
                    int(one.tried), one.pk, batch,
                ],
            )  # fmt: skip
            changed += cursor.rowcount
        return changed
