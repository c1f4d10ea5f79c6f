"""Erasing: what goes, what stays and why, and one button."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup.models import ConsentEntry, Subscriber
from signup.privacy.erase import erase as verb
from signup.views.frame import posted, public
from signup.views.opening import for_the_reader


@for_the_reader
def erase(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """GET: what will happen. POST: it happens, in every station, and cannot be undone."""
    answers = posted(request)
    if request.method != "POST" or answers.get("action") != "erase":
        return render(request, "signup/preferences_erase.html", {"token": token})
    verb(
        subscriber=subscriber,
        method=ConsentEntry.Method.PREFERENCES,
        source="the reader",
        never_again=bool(answers.get("never_again")),
    )
    return redirect("signup:erased")


@public
def erased(request: HttpRequest) -> HttpResponse:
    """What was done. The page knows nothing of who is looking."""
    return render(request, "signup/preferences_erased.html")
