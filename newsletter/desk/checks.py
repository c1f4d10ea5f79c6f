"""What is wrong with the desk's fences, said before somebody walks through."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry, Authenticator
from newsletter.desk.security import policy, sealing


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


@register(Tags.database)
def second_factors_can_be_opened(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """desk.E002: a key is gone, somebody cannot sign in; desk.W002: the newest is not used yet."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    if (
        Authenticator._meta.db_table
        not in connections[DEFAULT_DB_ALIAS].introspection.table_names()
    ):
        return []
    listed = [version for version, _key in settings.FACTOR_KEYS]
    used = [sealing.version_of(key) for key in Authenticator.objects.values_list("key", flat=True)]
    messages: list[CheckMessage] = []
    if lost := sorted({version for version in used if version is not None} - set(listed)):
        messages.append(
            Error(
                f"Second factors are sealed with keys that FACTOR_KEYS does not list: {lost}.",
                hint="Put the old key back behind the newest, then run manage.py seal_factors.",
                id="desk.E002",
            )
        )
    if older := sum(version is None or version in listed[1:] for version in used):
        messages.append(
            Warning(
                f"Second factors not under the newest of FACTOR_KEYS: {older}.",
                hint="Run manage.py seal_factors; afterwards older keys may be taken out.",
                id="desk.W002",
            )
        )
    return messages
