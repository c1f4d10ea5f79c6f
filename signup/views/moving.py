"""Another address: asked for behind a fresh link, confirmed from the new mailbox."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import guard, relocate, tokens
from signup.forms import AddressForm
from signup.models import AddressChange, Subscriber, Subscription
from signup.views import strays
from signup.views.frame import judged, personal, posted, refusal, send_soon
from signup.views.opening import for_the_reader


@for_the_reader
def change_address(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """Ask for it. The answer is the same for every address that may be typed (invariant 13)."""
    template = "signup/preferences_address.html"
    context: dict[str, object] = {"token": token, "subscriber": subscriber}
    if request.method != "POST":
        return render(request, template, {**context, "form": AddressForm()})
    form = AddressForm(request.POST)
    verdict = judged(request, form) if form.is_valid() else None
    if verdict is None or not form.is_valid():
        return refusal(request, template, {**context, "form": form}, verdict)
    mail = None
    if verdict is guard.Verdict.LET_IN:
        mail = relocate.ask(subscriber=subscriber, address=form.address)
    send_soon(mail)
    return render(request, "signup/preferences_address_asked.html", context)


@personal
def new_address(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the mail to the new address. GET: one button. POST: move."""
    expired = False
    try:
        claims = tokens.read(tokens.Purpose.ADDRESS, token)
    except tokens.ExpiredToken as error:
        claims, expired = error.claims, True
    except tokens.BadToken:
        return strays.answer(request, token)
    change = AddressChange.objects.filter(
        pk=claims.ids[0], subscriber__erased_at__isnull=True
    ).first()
    if change is None:
        return render(request, "signup/link_gone.html", status=410)
    if expired and change.confirmed_at is None:
        if request.method == "POST" and posted(request).get("again"):
            send_soon(relocate.ask_again(change=change))
            return redirect("signup:check_inbox")
        return render(request, "signup/link_expired.html", status=410)
    if request.method != "POST" and change.confirmed_at is None:
        return render(request, "signup/new_address.html", {"newsletters": _named(change)})
    if request.method == "POST":
        try:
            send_soon(relocate.confirm(change=change, asked_at=claims.issued_at).notice)
        except relocate.AddressTaken:
            return render(request, "signup/new_address_taken.html", status=409)
        except relocate.CannotMove:
            return render(request, "signup/link_gone.html", status=410)
    return render(request, "signup/new_address_done.html")


def _named(change: AddressChange) -> list[object]:
    """What is agreed to by the button; nothing that says something about health."""
    live = Subscription.objects.live().filter(
        subscriber=change.subscriber_id, newsletter__sensitive=False
    )
    return [row.newsletter for row in live.select_related("newsletter")]
