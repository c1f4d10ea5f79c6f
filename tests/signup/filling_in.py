"""A sign-up form as a person sends it."""

from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from signup import guard
from signup.consent import current_texts
from signup.models import ConsentEntry, Subscriber, SystemMail

CHECK_INBOX = "/sign-up/check-your-inbox/"


def filled_in(email: str = "ada@example.org", **changes: Any) -> dict[str, Any]:
    with time_machine.travel(timezone.now() - timedelta(seconds=30)):
        token = guard.form_token(guard.Place.SIGN_UP_PAGE, current_texts("en"))
    return {
        "email": email,
        "newsletters": ["living-well"],
        "conditions": ["herniated-disk"],
        "cadence": "daily",
        "consent_mail": "on",
        "consent_health": "on",
        "form_token": token,
        **changes,
    }


def nothing_was_kept() -> bool:
    return not (
        Subscriber.objects.exists() or SystemMail.objects.exists() or ConsentEntry.objects.exists()
    )
