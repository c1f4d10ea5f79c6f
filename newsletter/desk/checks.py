"""What is wrong with the desk's fences, said before somebody walks through."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry
from newsletter.desk.security import policy


@register(Tags.security)
def second_factor_is_demanded(**_kwargs: Any) -> list[CheckMessage]:
    """desk.W001: readers are behind a password alone."""
    if policy.required() or settings.DEBUG or settings.EMBEDDED:
        return []
    return [
        Warning(
            "STAFF_SECOND_FACTOR is optional: a stolen password opens readers' health data.",
            hint="Leave it out; each member of staff then sets up an app when signing in.",
            id="desk.W001",
        )
    ]


@register(Tags.database)
def access_log_is_guarded(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """desk.E001: SQLite drops a table's triggers without a word when a migration alters it."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    if AccessEntry._meta.db_table not in connection.introspection.table_names():
        return []
    missing = access_log.missing_triggers(connection)
    if not missing:
        return []
    return [
        Error(
            f"The access log lacks triggers: {', '.join(sorted(missing))}.",
            hint="Make them again as newsletter/desk/migrations/0011_access_log_triggers.py does.",
            id="desk.E001",
        )
    ]
