"""What is wrong with how outcomes reach us, said before it does harm."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from newsletter.outcomes.bounces.mailbox import BadMailbox, Mailbox
from newsletter.outcomes.webhooks import endpoints


@register("wellread", Tags.security)
def check_webhooks(**_: Any) -> list[CheckMessage]:
    """outcomes.E001: an ESP whose reports nobody could prove; outcomes.W001: one without any."""
    esp = settings.ESP.lower()
    if not esp:
        return []
    if esp not in endpoints():
        return [
            Warning(
                f"ESP={esp} reports no bounces or complaints by webhook.",
                hint="Addresses that do not work will be mailed again and again.",
                id="outcomes.W001",
            )
        ]
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return [
            Error(
                "ESP is set but ANYMAIL_WEBHOOK_SECRET is not.",
                hint=(
                    "Set it to 'user:password' of your own making and give the provider "
                    f"https://user:password@<your host>/webhooks/{esp}/ as its webhook. "
                    "Until then that address refuses every report."
                ),
                id="outcomes.E001",
            )
        ]
    return []


@register("wellread", Tags.security)
def check_mailbox(**_: Any) -> list[CheckMessage]:
    """outcomes.E002: a mailbox that cannot be read; outcomes.E003: one that nothing comes to."""
    if not settings.BOUNCE_MAILBOX:
        return []
    found: list[CheckMessage] = []
    try:
        Mailbox.from_url(settings.BOUNCE_MAILBOX)
    except BadMailbox as error:
        found.append(
            Error(
                f"BOUNCE_MAILBOX cannot be used: {error}.",
                hint="Write it like imaps://user:password@mail.example.org/INBOX, with signs in "
                "user and password as %40 and the like.",
                id="outcomes.E002",
            )
        )
    if not settings.BOUNCE_DOMAIN:
        found.append(
            Error(
                "BOUNCE_MAILBOX is set but BOUNCE_DOMAIN is not: no bounce in it could be told "
                "from a forged one, and every mail in it would be left where it is.",
                hint="Set BOUNCE_DOMAIN to the domain whose mail comes to that mailbox.",
                id="outcomes.E003",
            )
        )
    return found
