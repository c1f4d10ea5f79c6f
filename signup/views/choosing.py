"""Welcome and preferences: pages behind a link that was mailed minutes ago."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from signup import guard, tokens, unsubscribe
from signup import preferences as verb
from signup.forms import AddressForm, PreferencesForm
from signup.models import ConsentEntry, ConsentText, Subscriber, Subscription
from signup.privacy.export import record
from signup.views.frame import judged, personal, posted, public, refusal, send_soon

Purpose = ConsentText.Purpose


@public
def preferences_request(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same for every address (invariant 13)."""
    template = "signup/preferences_request.html"
    if request.method != "POST":
        return render(request, template, {"form": AddressForm()})
    form = AddressForm(request.POST)
    verdict = judged(request, form) if form.is_valid() else None
    if verdict is None or not form.is_valid():
        return refusal(request, template, {"form": form}, verdict)
    mail = None
    if verdict is guard.Verdict.LET_IN:
        mail = verb.request_link(address_key=form.address.key)
    send_soon(mail)
    return redirect("signup:preferences_mailed")


@public
def preferences_mailed(request: HttpRequest) -> HttpResponse:
    """What happens next, the same for everybody."""
    return render(request, "signup/preferences_mailed.html")


@personal
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Right after confirming: thanks, and what else can be chosen."""
    return _page(request, token, "signup/welcome.html")


@personal
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show and change what the reader gets."""
    return _page(request, token, "signup/preferences.html")


def _page(request: HttpRequest, token: str, template: str) -> HttpResponse:
    try:
        claims = tokens.read(tokens.Purpose.PREFERENCES, token)
    except tokens.ExpiredToken as error:
        return _expired(request, error.claims.ids[0])
    except tokens.BadToken:
        return render(request, "signup/link_damaged.html", status=404)
    subscriber = Subscriber.objects.filter(pk=claims.ids[0], erased_at__isnull=True).first()
    if subscriber is None:
        return render(request, "signup/link_gone.html", status=410)
    if request.method == "POST":
        action = str(posted(request).get("action", "save"))
        if action == "save":
            return _save(request, token, subscriber)
        return _act(action, token, subscriber)
    form = PreferencesForm(subscriber=subscriber)
    return render(request, template, _context(request, token, subscriber, form))


def _expired(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    if request.method == "POST" and posted(request).get("again"):
        send_soon(verb.request_link_again(subscriber_id=subscriber_id))
        return redirect("signup:preferences_mailed")
    return render(request, "signup/preferences_expired.html", status=410)


def _save(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    form = PreferencesForm(request.POST, subscriber=subscriber)
    template = "signup/preferences.html"
    if not form.is_valid():
        return refusal(request, template, _context(request, token, subscriber, form), None)
    form_url = settings.BASE_URL + reverse("signup:preferences_request")
    verb.save(subscriber=subscriber, choices=form.choices(), form_url=form_url)
    return redirect(f"{reverse('signup:preferences', args=[token])}?saved=1")


def _act(action: str, token: str, subscriber: Subscriber) -> HttpResponse:
    """One of the page's small buttons; an unknown one does nothing."""
    what, _colon, which = action.partition(":")
    if what == "withdraw" and which in Purpose.values:
        verb.withdraw(subscriber=subscriber, purpose=Purpose(which))
    elif what == "end_all":
        unsubscribe.end_all(
            subscriber=subscriber,
            reason=Subscription.EndedReason.PREFERENCES,
            method=ConsentEntry.Method.PREFERENCES,
        )
        return redirect("signup:goodbye_plain")
    elif what == "end" and which.isascii() and which.isdigit() and len(which) < 18:
        subscription = Subscription.objects.filter(pk=int(which), subscriber=subscriber).first()
        if subscription is not None:
            ended = unsubscribe.end(
                subscription=subscription,
                reason=Subscription.EndedReason.PREFERENCES,
                method=ConsentEntry.Method.PREFERENCES,
            )
            if ended.undo_token:
                return redirect("signup:goodbye", token=ended.undo_token)
    return redirect(f"{reverse('signup:preferences', args=[token])}?saved=1")


def _context(
    request: HttpRequest, token: str, subscriber: Subscriber, form: PreferencesForm
) -> dict[str, object]:
    return {
        "token": token,
        "form": form,
        "subscriber": subscriber,
        "saved": request.method != "POST" and request.GET.get("saved") == "1",
        "subscriptions": list(
            Subscription.objects.filter(subscriber=subscriber)
            .exclude(state=Subscription.State.PENDING)
            .select_related("newsletter")
            .order_by("newsletter__name")
        ),
        "record": record(subscriber=subscriber),
    }
