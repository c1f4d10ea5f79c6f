"""The privacy notice."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from signup.consent import current_texts
from signup.privacy.retention import KEEP
from signup.tokens import MAX_AGE, Purpose
from signup.views.frame import public


@public
def privacy(request: HttpRequest) -> HttpResponse:
    """The publisher's own notice, or one that says what this service does."""
    return render(
        request,
        "signup/privacy.html",
        {
            "texts": current_texts(get_language() or "en"),
            "own_language": settings.LANGUAGE_CODE,
            "keep_days": KEEP.days,
            "left_days": settings.LEFT_READERS_KEEP_DAYS,
            "silent_days": settings.CONSENT_EXPIRES_AFTER_DAYS,
            "confirm_hours": int(MAX_AGE[Purpose.CONFIRM].total_seconds() // 3600),
        },
    )
