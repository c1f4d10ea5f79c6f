"""My record: what came, why, what was agreed to; and all of it to take away."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from signup.models import Subscriber
from signup.privacy.export import record
from signup.privacy.parcel import parcel
from signup.privacy.registry import Kind
from signup.views.opening import for_the_reader


@for_the_reader
def my_record(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """Every mail and its reason, every consent in its words, and what else happened."""
    with timezone.override(subscriber.timezone):
        lines = record(subscriber=subscriber)
        return render(
            request,
            "signup/preferences_record.html",
            {
                "token": token,
                "zone": subscriber.timezone.replace("_", " "),
                "mails": [line for line in lines if line.kind is Kind.MAIL],
                "consents": [line for line in lines if line.kind is Kind.CONSENT],
                "others": [line for line in lines if line.kind is Kind.OTHER],
            },
        )


@for_the_reader
def export(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """GET: one button. POST: everything we hold, as a file that is made for this answer only."""
    if request.method != "POST":
        return render(request, "signup/preferences_export.html", {"token": token})
    response = HttpResponse(parcel(subscriber=subscriber), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
