"""What is wrong with how outcomes reach us, said before it does harm."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

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
