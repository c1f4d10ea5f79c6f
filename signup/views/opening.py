"""The door to a reader's own pages: a link that was mailed minutes ago."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import preferences, tokens
from signup.models import Subscriber
from signup.views import strays
from signup.views.frame import personal, posted, send_soon

Page = Callable[[HttpRequest, str, Subscriber], HttpResponse]


def for_the_reader(view: Page) -> Callable[..., HttpResponse]:
    """Call `view(request, token, subscriber)` when the link is fresh; else show nothing of it.

    Closed are links older than 30 minutes, and those mailed to an address that the reader has
    left since. Both pages have a button that mails a new one.
    """

    @personal
    @functools.wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        try:
            claims = tokens.read(tokens.Purpose.PREFERENCES, token)
        except tokens.ExpiredToken as error:
            return _closed(request, error.claims.ids[0])
        except tokens.BadToken:
            return strays.answer(request, token)
        subscriber = (
            Subscriber.objects.select_related("health_consent__text", "measurement_consent__text")
            .filter(pk=claims.ids[0], erased_at__isnull=True)
            .first()
        )
        if subscriber is None:
            return render(request, "signup/link_gone.html", status=410)
        if subscriber.was_mailed_elsewhere(claims.issued_at):
            return _closed(request, subscriber.pk)
        return view(request, token, subscriber)

    return wrapped


def _closed(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    if request.method == "POST" and posted(request).get("again"):
        send_soon(preferences.request_link_again(subscriber_id=subscriber_id))
        return redirect("signup:preferences_mailed")
    return render(request, "signup/preferences_expired.html", status=410)
