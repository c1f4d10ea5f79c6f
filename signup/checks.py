"""What a misconfigured installation hears before its readers do."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, connections


@register(Tags.security)
def keys_are_apart(**_kwargs: Any) -> list[CheckMessage]:
    """signup.E001: one secret for two jobs; signup.E002: no key; signup.W001: a short key."""
    messages: list[CheckMessage] = []
    seen: dict[bytes, str] = {settings.SECRET_KEY.encode(): "SECRET_KEY"}
    for name in ("TOKEN_KEYS", "LEDGER_KEYS", "SUPPRESSION_KEYS", "FACTOR_KEYS"):
        keys = getattr(settings, name)
        if not keys:
            messages.append(
                Error(
                    f"{name} lists no key.",
                    hint="Set it to 1:<64 hexadecimal digits>; see docs/settings.md.",
                    id="signup.E002",
                )
            )
        for version, key in keys:
            other = seen.get(key) or seen.get(key.hex().encode())
            if other is not None and other != name:
                messages.append(
                    Error(
                        f"{name} and {other} share a key.",
                        hint="Make one secret for each, so that one can leak or rotate alone.",
                        id="signup.E001",
                    )
                )
            if len(key) < 32:
                messages.append(
                    Warning(
                        f"Key {version} of {name} is shorter than 32 bytes.",
                        hint="Add a longer one in front and keep this one behind it.",
                        id="signup.W001",
                    )
                )
            seen[key] = name
    return messages


@register(Tags.security, deploy=True)
def network_is_known(**_kwargs: Any) -> list[CheckMessage]:
    """signup.W002: behind a proxy that was not declared, the limit for each network is off."""
    https = settings.BASE_URL.startswith("https://")
    if https and not getattr(settings, "TRUSTED_PROXIES", 0):
        return [
            Warning(
                "TRUSTED_PROXIES is 0 although BASE_URL is https.",
                hint=(
                    "If a proxy of yours ends TLS, say how many stand before the web process; "
                    "until then sign-ups are not limited for each network."
                ),
                id="signup.W002",
            )
        ]
    return []


@register(Tags.database)
def ledger_is_guarded(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """signup.E003: a trigger of the ledger is missing; signup.E004: nothing to agree to;
    signup.W003: a language that is not offered for sign-up.

    Runs where databases are checked: on `migrate` and `check --database default`.
    """
    from signup.consent.verify import missing_triggers
    from signup.models import ConsentText

    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    tables = connections[DEFAULT_DB_ALIAS].introspection.table_names()
    if ConsentText._meta.db_table not in tables or not _is_migrated():
        return []
    messages: list[CheckMessage] = []
    missing = missing_triggers()
    if missing:
        messages.append(
            Error(
                f"The ledger lacks triggers: {', '.join(sorted(missing))}.",
                hint="Run `manage.py migrate signup 0001` and `migrate signup` on a copy first.",
                id="signup.E003",
            )
        )
    return messages + _unworded()


def _is_migrated() -> bool:
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()
    return ("signup", "0011_consent_guards") in applied


def _unworded() -> list[CheckMessage]:
    from signup.consent.texts import MissingText, current_texts, languages_offered
    from signup.models import ConsentText

    if not ConsentText.objects.exists():
        return []  # before the first migrate has ended
    try:
        current_texts(settings.LANGUAGE_CODE)
    except MissingText as missing:
        return [
            Error(
                f"Nobody can sign up: {missing}",
                hint="Approve the drafts at the desk, under Consent.",
                id="signup.E004",
            )
        ]
    offered = languages_offered()
    return [
        Warning(
            f"Nobody can sign up in {name}: not every consent has an approved wording in it.",
            hint="Data protection approves the drafts at the desk, under Consent.",
            id="signup.W003",
        )
        for code, name in settings.LANGUAGES
        if code not in offered
    ]
