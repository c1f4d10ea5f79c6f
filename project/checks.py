"""What is set wrongly, said before it does harm. Each has an id and a hint (docs/settings.md)."""

import email.utils
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

_EXAMPLE = ("example", "example.com", "example.net", "example.org", "invalid", "localhost", "test")
_LEAST_DISTINCT = 8
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
# Beside at most 52 octets, an @ and a pair of brackets, in 256 (RFC 5321 section 4.5.3.1.3).
_LONGEST_BOUNCE_DOMAIN = 200


def _live() -> bool:
    """Whether readers may be behind this installation: neither `make run` nor DEBUG."""
    return not (settings.DEBUG or settings.EMBEDDED)


@register("wellread", Tags.security)
def check_settings(app_configs: Iterable[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    return [*_addresses(), *_secret_key(), *_mail(), *_bounces(), *_alarms(), *_work(), *_stores()]


def _addresses() -> Iterator[CheckMessage]:
    url = urlsplit(settings.BASE_URL)
    if _live() and url.scheme != "https":
        yield Error(
            f"BASE_URL is {settings.BASE_URL}: readers' links would travel unencrypted.",
            hint="Set BASE_URL=https://… to the public address. `make run` needs no https.",
            id="wellread.E001",
        )
    if _live() and _is_example(url.hostname or ""):
        yield Error(
            f"BASE_URL is {settings.BASE_URL}: the links in every mail would lead nowhere.",
            hint="Set BASE_URL to the address under which readers reach this site.",
            id="wellread.E002",
        )
    if "*" in settings.ALLOWED_HOSTS and _live():
        yield Warning(
            "ALLOWED_HOSTS lets any host name in.",
            hint="List the names under which this site is reached, or leave it out: BASE_URL's "
            "name is always allowed.",
            id="wellread.W001",
        )
    if settings.DEBUG and not settings.EMBEDDED and url.scheme == "https":
        yield Warning(
            "DEBUG is on behind a public address: error pages would show settings and code.",
            hint="Leave DEBUG out of the environment.",
            id="wellread.W002",
        )


def _secret_key() -> Iterator[CheckMessage]:
    if len(settings.SECRET_KEY) < 32 or len(set(settings.SECRET_KEY)) < _LEAST_DISTINCT:
        yield Error(
            "SECRET_KEY is short or easily guessed.",
            hint="Make one: python3 -c 'import secrets; print(secrets.token_hex(32))'",
            id="wellread.E003",
        )


def _mail() -> Iterator[CheckMessage]:
    from newsletter.transports.errors import Misconfigured
    from newsletter.transports.select import system_transport

    try:
        transport = system_transport()
    except Misconfigured as error:
        yield Error(
            f"{error}", hint="docs/settings.md shows how EMAIL_URL and ESP are written.",
            id="wellread.E004",
        )  # fmt: skip
    else:
        if transport.name == "memory" and _live():
            yield Error(
                "EMAIL_URL keeps mail in memory: nobody would ever get any.",
                hint="Set EMAIL_URL=smtp://… to your relay, or ESP to your provider.",
                id="wellread.E005",
            )
    if _live() and not settings.ESP and not settings.EMAIL_URL_GIVEN:
        yield Error(
            "Neither EMAIL_URL nor ESP is set: there is no way out for mail.",
            hint="Set EMAIL_URL=smtp://… to your relay, or ESP to your provider.",
            id="wellread.E006",
        )
    _, address = email.utils.parseaddr(settings.DEFAULT_FROM_EMAIL)
    local, _, domain = address.rpartition("@")
    if not local or "." not in domain:
        yield Error(
            f"DEFAULT_FROM_EMAIL is no address: {settings.DEFAULT_FROM_EMAIL!r}.",
            hint="Write it like hello@example.org or Wellread <hello@example.org>.",
            id="wellread.E007",
        )
    elif _live() and _is_example(domain):
        yield Error(
            f"DEFAULT_FROM_EMAIL is {address}, an address that nobody can have.",
            hint="Set it to an address at a domain of yours, with SPF, DKIM and DMARC in order.",
            id="wellread.E008",
        )


def _bounces() -> Iterator[CheckMessage]:
    domain = settings.BOUNCE_DOMAIN
    if not domain:
        return
    if (
        not _HOST.fullmatch(domain)
        or len(domain) > _LONGEST_BOUNCE_DOMAIN
        or (_live() and _is_example(domain))
    ):
        yield Error(
            f"BOUNCE_DOMAIN is {domain!r}: no bounce could ever come back there.",
            hint="Write it like bounces.example.org, in ASCII (xn--…), at a domain of yours.",
            id="wellread.E013",
        )
    if settings.ESP:
        yield Warning(
            "BOUNCE_DOMAIN has no effect with ESP: the provider has return paths of its own.",
            hint="Leave BOUNCE_DOMAIN out; bounces are told by the provider's webhook.",
            id="wellread.W004",
        )


def _alarms() -> Iterator[CheckMessage]:
    from newsletter.sending.news import may_be_told

    if settings.ALERT_WEBHOOK_URL and not may_be_told(settings.ALERT_WEBHOOK_URL):
        yield Error(
            "ALERT_WEBHOOK_URL is neither https nor this machine: alarms would go out in the open.",
            hint="Write it like https://alarms.example.org/path, or http://127.0.0.1:9000/path.",
            id="wellread.E014",
        )


def _work() -> Iterator[CheckMessage]:
    """A task that outlives the broker's patience is handed out a second time while it runs."""
    options: dict[str, Any] = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    visibility = int(options.get("visibility_timeout", 3600))
    longest = settings.CELERY_TASK_TIME_LIMIT
    if visibility <= longest:
        yield Error(
            f"The broker hands tasks out again after {visibility} s, but one may take {longest} s.",
            hint="Set visibility_timeout in CELERY_BROKER_TRANSPORT_OPTIONS above "
            "CELERY_TASK_TIME_LIMIT.",
            id="wellread.E009",
        )
    if settings.SENDING_LEASE_SECONDS < 10:
        yield Error(
            f"SENDING_LEASE_SECONDS is {settings.SENDING_LEASE_SECONDS:g}: workers that are well "
            "would lose their batches.",
            hint="Leave it out (120), or set 10 or more.",
            id="wellread.E010",
        )
    if settings.CELERY_TASK_ALWAYS_EAGER and _live():
        yield Error(
            "Tasks would run inside web requests.",
            hint="Leave CELERY_TASK_ALWAYS_EAGER out of the settings.",
            id="wellread.E011",
        )


def _stores() -> Iterator[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if _live() and engine.endswith("sqlite3"):
        yield Warning(
            "The database is SQLite: one writer at a time, on one machine.",
            hint="Set DATABASE_URL=postgres://… before more than a few thousand readers come.",
            id="wellread.W003",
        )
    if _live() and not settings.REDIS_URL_GIVEN:
        yield Error(
            "REDIS_URL is not set: web and workers would not find each other.",
            hint="Set REDIS_URL=redis://host:6379/0, with appendonly on.",
            id="wellread.E012",
        )


def _is_example(domain: str) -> bool:
    """Names that RFC 2606 and RFC 6761 keep free of use."""
    domain = domain.lower().rstrip(".")
    return any(domain == name or domain.endswith(f".{name}") for name in _EXAMPLE)
