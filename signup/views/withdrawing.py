"""Withdrawing one consent from any mail: one press, no login, no reason (GDPR Art. 7(3))."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import preferences, tokens
from signup.models import ConsentEntry, ConsentText, Subscription
from signup.views import strays
from signup.views.frame import personal, posted

_MAY_GO = {
    purpose.value: purpose
    for purpose in (ConsentText.Purpose.HEALTH, ConsentText.Purpose.MEASUREMENT)
}


@personal
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """GET: a button for each consent beside that to mail. POST: withdraw that one, at once.

    Mails are forwarded. So the page is the same for everybody: it tells neither whose link it is
    nor which consents stand. It works for ever, for readers who left or were erased too.
    """
    try:
        claims = tokens.read(tokens.Purpose.WITHDRAW, token)
    except tokens.BadToken:
        return strays.answer(request, token)
    if request.method != "POST":
        return _page(request, claims.ids[0])
    purpose = _MAY_GO.get(posted(request).get("consent", ""))
    if purpose is None:
        return _page(request, claims.ids[0], status=422)
    subscription = (
        Subscription.objects.select_related("subscriber").filter(pk=claims.ids[0]).first()
    )
    if subscription is not None:
        preferences.withdraw(
            subscriber=subscription.subscriber, purpose=purpose, method=ConsentEntry.Method.LINK
        )
    return redirect("signup:withdrawn")


@personal
def withdrawn(request: HttpRequest) -> HttpResponse:
    """The same words for everybody, whether there was something to withdraw or not."""
    return render(request, "signup/withdrawn.html")


def _page(request: HttpRequest, subscription_id: int, status: int = 200) -> HttpResponse:
    unsubscribe = tokens.unsubscribe_token(subscription_id)
    return render(request, "signup/withdraw.html", {"unsubscribe": unsubscribe}, status=status)
