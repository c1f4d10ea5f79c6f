"""Writing down who looked at a reader's health data, and why (docs/desk.md)."""

import re

from django.db.backends.base.base import BaseDatabaseWrapper

from newsletter.desk.models import AccessEntry, User
from signup.models import Subscriber

_ADDRESS = re.compile(r"[^\s@]@[^\s@]")


class HoldsAddress(ValueError):
    """A reason names somebody's address. The log would keep it beyond that reader's erasure."""


def names_address(text: str) -> bool:
    return _ADDRESS.search(text) is not None


def write(
    *,
    by: User,
    action: AccessEntry.Action,
    reason: str,
    subscriber: Subscriber | None = None,
    detail: str = "",
) -> AccessEntry:
    """Append one line, in the transaction of the deed and before anything is shown.

    Raises HoldsAddress rather than keep an address for ever.
    """
    if names_address(reason) or names_address(detail):
        raise HoldsAddress
    # Names are addresses at some houses; the number says who it was.
    actor = f"account {by.pk}" if names_address(by.username) else by.username
    return AccessEntry.objects.create(
        action=action,
        actor_id=by.pk,
        actor_name=actor,
        subscriber_id=subscriber.pk if subscriber else None,
        detail=detail[:200],
        reason=reason,
    )


def missing_triggers(connection: BaseDatabaseWrapper) -> frozenset[str]:
    """Return the names of the log's guards that this database lacks."""
    wanted = {"access_log_no_update", "access_log_no_delete"}
    if connection.vendor == "postgresql":
        wanted.add("access_log_no_truncate")
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return frozenset(wanted - {name for (name,) in cursor.fetchall()})
