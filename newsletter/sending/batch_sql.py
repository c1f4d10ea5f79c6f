"""What is written to a batch while it is being sent.

Written out: composing these few statements anew for every chunk cost as much CPU as the whole of
SMTP. Every one of them is conditional, and says WHERE epoch = mine (invariant 3).
"""

from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

from newsletter.sending.clock import sql_in, sql_now

# Seconds that a worker may be silent within a transaction that holds its batch's row. One that was
# stopped there (SIGSTOP, a suspended machine, a cut cable) would else hold it for as long as it
# sleeps: nobody could take the batch over, and who unsubscribes would wait.
SILENCE = 15
_HELD = " WHERE id = %s AND epoch = %s AND state = 'claimed'"
# A batch's id and the epoch of the claim.
Held = tuple[int, int]
# And the domain that all of it goes to, where that is mailed more slowly.
Taken = tuple[int, int, str]


@cache
def _take(vendor: str) -> str:
    # Only so that workers do not all try for the same one: what counts is the UPDATE.
    lock = " FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else ""
    return (
        f"UPDATE sending_batch SET state = 'claimed', epoch = epoch + 1, lease_until = {sql_in()},"  # noqa: S608
        " worker = %s, fed_at = NULL, handed_upto = 0 WHERE state = 'ready' AND id ="
        " (SELECT id FROM sending_batch WHERE mailing_id = %s AND state = 'ready'"
        f" AND (not_before IS NULL OR not_before <= {sql_now()})"
        f" AND (not_after IS NULL OR not_after > {sql_now()})"
        f" AND (fed_at IS NULL OR fed_at <= %s) ORDER BY id LIMIT 1{lock})"
        " RETURNING id, epoch, domain"
    )


def take_next(mailing: int, worker: str, seconds: float, fed_before: datetime) -> Taken | None:
    """Claim the mailing's first batch that is ready, and that nobody was handed since."""
    fed = connection.ops.adapt_datetimefield_value(fed_before)
    with connection.cursor() as cursor:
        cursor.execute(_take(connection.vendor), [seconds, worker, mailing, fed])
        taken: Taken | None = cursor.fetchone()
        return taken


def hand_over(held: Held, mailing: int, seconds: float, upto: int | None) -> bool:
    """Renew the lease and move the mark, if the mailing is being sent and its hours are open."""
    mark: list[Any] = [] if upto is None else [upto]
    moved = "" if upto is None else ", handed_upto = %s"
    return _update(
        f"UPDATE sending_batch SET lease_until = {sql_in()}{moved}{_bounded()}{_HELD}"  # noqa: S608
        f" AND (not_after IS NULL OR not_after > {sql_now()})"
        " AND EXISTS (SELECT 1 FROM sending_mailing WHERE id = %s AND state = 'sending')",
        [seconds, *mark, *held, mailing],
    )


def count(
    held: Held, *, accepted: int = 0, refused: int = 0, unknown: int = 0, finished: bool = False
) -> bool:
    """Add to the counts; `finished` lets go of the batch for good."""
    end = ", state = 'done', lease_until = NULL, worker = ''" if finished else ""
    return _update(
        "UPDATE sending_batch SET accepted = accepted + %s, refused = refused + %s,"  # noqa: S608
        f" unknown = unknown + %s{end}{_bounded()}{_HELD}",
        [accepted, refused, unknown, *held],
    )


def any_open(mailing: int) -> bool:
    """Whether some batch of the mailing is not done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM sending_batch WHERE mailing_id = %s AND state IN ('ready', 'claimed')"
            " LIMIT 1",
            [mailing],
        )
        return cursor.fetchone() is not None


def _bounded() -> str:
    """Have the database end this transaction, and no other, after SILENCE: within the statement
    that takes the lock, so that it costs nothing, and works behind a pooler."""
    if connection.vendor != "postgresql":
        return ""
    return (
        " FROM (SELECT set_config('idle_in_transaction_session_timeout',"
        f" '{SILENCE}s', true)) AS silence"
    )


def _update(statement: str, params: list[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return bool(cursor.rowcount)
