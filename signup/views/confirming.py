"""The page behind the confirmation mail. Looking at it changes nothing; its button does."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import confirm as verb
from signup import subscribe, tokens
from signup.models import SignUp
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
        return render(request, "signup/link_damaged.html", status=404)
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
        return render(request, "signup/link_gone.html", status=410)
    # Dated from the confirming itself: pressing an old mail's button again opens nothing.
    welcome = tokens.make(
        tokens.Purpose.PREFERENCES,
        confirmed.sign_up.subscriber_id,
        at=confirmed.sign_up.confirmed_at,
    )
    return redirect("signup:welcome", token=welcome)


def _mail_again(sign_up: SignUp) -> HttpResponse:
    send_soon(subscribe.mail_again(sign_up=sign_up))
    return redirect("signup:check_inbox")
