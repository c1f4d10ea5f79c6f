"""The page behind the confirmation mail. Looking at it changes nothing; its button does."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from signup import confirm as verb
from signup import preferences, subscribe, tokens
from signup.models import Follow, SignUp, Subscription
from signup.views import strays
from signup.views.frame import personal, posted, send_soon


@personal
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET: one button. POST: confirm, then to the welcome page."""
    expired = False
    try:
        claims = tokens.read(tokens.Purpose.CONFIRM, token)
    except tokens.ExpiredToken as error:
        claims, expired = error.claims, True
    except tokens.BadToken:
        return strays.answer(request, token)
    sign_up = SignUp.objects.filter(pk=claims.ids[0]).select_related("subscriber").first()
    if sign_up is None or sign_up.subscriber.is_erased:
        return render(request, "signup/link_gone.html", status=410)
    if request.method == "POST" and posted(request).get("again"):
        return _mail_again(sign_up)
    if expired and sign_up.confirmed_at is None:
        return render(request, "signup/link_expired.html", status=410)
    if request.method != "POST" and sign_up.confirmed_at is None:
        newsletters = [one for one in sign_up.newsletters.all() if not one.sensitive]
        return render(request, "signup/confirm.html", {"newsletters": newsletters})
    if request.method != "POST":
        return render(request, "signup/link_used.html")
    try:
        confirmed = verb.confirm(sign_up=sign_up, asked_at=claims.issued_at)
    except verb.Superseded:
        return render(request, "signup/link_gone.html", {"can_ask_again": True}, status=410)
    if not _may_show(confirmed.sign_up, claims.issued_at):
        return render(request, "signup/added.html")
    # Dated from the confirming itself: pressing an old mail's button again opens nothing.
    welcome = tokens.make(
        tokens.Purpose.PREFERENCES,
        confirmed.sign_up.subscriber_id,
        at=confirmed.sign_up.confirmed_at,
    )
    return redirect("signup:welcome", token=welcome)


def _may_show(sign_up: SignUp, mailed_at: datetime | None) -> bool:
    """True when the welcome page, which shows what a reader follows, may be opened by this mail.

    By one mailed minutes ago; or when the reader is new, so that the page has nothing to show but
    what this very sign-up holds. An older mail may have been forwarded since (invariant 17).
    """
    if mailed_at and timezone.now() - mailed_at <= tokens.MAX_AGE[tokens.Purpose.PREFERENCES]:
        return True
    reader, confirmed_at = sign_up.subscriber_id, sign_up.confirmed_at
    return not (
        Subscription.objects.filter(subscriber=reader, live_at__lt=confirmed_at).exists()
        or Follow.objects.filter(subscriber=reader, followed_at__lt=confirmed_at).exists()
    )


def _mail_again(sign_up: SignUp) -> HttpResponse:
    """What the mail is good for now: the confirmation once more, or a link to the preferences."""
    if sign_up.confirmed_at is None:
        send_soon(subscribe.mail_again(sign_up=sign_up))
        return redirect("signup:check_inbox")
    send_soon(preferences.request_link_again(subscriber_id=sign_up.subscriber_id))
    return redirect("signup:preferences_mailed")
