"""Welcome and preferences: pages behind a link that was mailed minutes ago."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from newsletter.catalogue.models import Newsletter
from signup import guard, unsubscribe
from signup import preferences as verb
from signup.forms import AddressForm, PreferencesForm, UnfinishedPreferencesForm
from signup.models import ConsentEntry, ConsentText, Subscriber, Subscription
from signup.views.finding import is_search
from signup.views.frame import judged, posted, public, refusal, send_soon
from signup.views.opening import for_the_reader

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


@for_the_reader
def welcome(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """Right after confirming: thanks, and what else can be chosen."""
    return _page(request, token, subscriber, "signup/welcome.html")


@for_the_reader
def preferences(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    """Show and change what the reader gets."""
    return _page(request, token, subscriber, "signup/preferences.html")


def _page(request: HttpRequest, token: str, subscriber: Subscriber, template: str) -> HttpResponse:
    if request.method == "POST":
        if is_search(request):
            unfinished = UnfinishedPreferencesForm(
                request.POST, subscriber=subscriber, query=request.POST.get("q", "")
            )
            return render(request, template, _context(request, token, subscriber, unfinished))
        action = str(posted(request).get("action", "save"))
        if action == "save":
            return _save(request, token, subscriber)
        return _act(request, action, token, subscriber)
    form = PreferencesForm(subscriber=subscriber)
    return render(request, template, _context(request, token, subscriber, form))


def _save(request: HttpRequest, token: str, subscriber: Subscriber) -> HttpResponse:
    form = PreferencesForm(request.POST, subscriber=subscriber)
    template = "signup/preferences.html"
    if not form.is_valid():
        return refusal(request, template, _context(request, token, subscriber, form), None)
    verb.save(subscriber=subscriber, choices=form.choices(), form_url=_form_url())
    return _saved(token)


def _act(request: HttpRequest, action: str, token: str, subscriber: Subscriber) -> HttpResponse:
    """One of the page's small buttons; an unknown one does nothing."""
    what, _colon, which = action.partition(":")
    if what == "withdraw" and which in Purpose.values:
        verb.withdraw(subscriber=subscriber, purpose=Purpose(which))
    elif what == "give" and which in Purpose.values:
        text = PreferencesForm(request.POST, subscriber=subscriber).texts[Purpose(which)]
        verb.give(subscriber=subscriber, text=text, form_url=_form_url())
    elif what == "begin":
        return _begin(request, which, token, subscriber)
    elif what == "end_all":
        ended = unsubscribe.end_all(
            subscriber=subscriber,
            reason=Subscription.EndedReason.PREFERENCES,
            method=ConsentEntry.Method.PREFERENCES,
        )
        return _goodbye(ended)
    elif what == "end" and _is_id(which):
        subscription = Subscription.objects.filter(pk=int(which), subscriber=subscriber).first()
        if subscription is not None:
            ended = unsubscribe.end(
                subscription=subscription,
                reason=Subscription.EndedReason.PREFERENCES,
                method=ConsentEntry.Method.PREFERENCES,
            )
            if ended.undo_token:
                return _goodbye(ended)
    return _saved(token)


def _begin(request: HttpRequest, which: str, token: str, subscriber: Subscriber) -> HttpResponse:
    """One more newsletter; one that was ended asks for its confirmation by mail."""
    newsletter = None
    if _is_id(which):
        newsletter = Newsletter.objects.filter(pk=int(which), open_for_signup=True).first()
    if newsletter is None:
        return _saved(token)
    form = PreferencesForm(request.POST, subscriber=subscriber)
    ended = Subscription.objects.filter(
        subscriber=subscriber, newsletter=newsletter, state=Subscription.State.ENDED
    ).exists()
    try:
        mail = verb.begin(
            subscriber=subscriber,
            newsletter=newsletter,
            text=form.texts[Purpose.MAIL],
            form_url=_form_url(),
        )
    except verb.NoHealthConsent:
        return redirect(f"{reverse('signup:preferences', args=[token])}?first=health#consents")
    if not ended:
        return _saved(token)
    send_soon(mail)
    return redirect("signup:check_inbox")


def _goodbye(ended: unsubscribe.Ended) -> HttpResponse:
    if ended.undo_token:
        return redirect("signup:goodbye", token=ended.undo_token)
    return redirect("signup:goodbye_plain")


def _saved(token: str) -> HttpResponse:
    return redirect(f"{reverse('signup:preferences', args=[token])}?saved=1")


def _form_url() -> str:
    return settings.BASE_URL + reverse("signup:preferences_request")


def _is_id(which: str) -> bool:
    return which.isascii() and which.isdigit() and len(which) < 18


def _context(
    request: HttpRequest, token: str, subscriber: Subscriber, form: PreferencesForm
) -> dict[str, object]:
    mine = list(
        Subscription.objects.filter(subscriber=subscriber)
        .select_related("newsletter")
        .order_by("newsletter__name")
    )
    live = [row for row in mine if row.state == Subscription.State.LIVE]
    got = {row.newsletter_id for row in live}
    return {
        "token": token,
        "form": form,
        "subscriber": subscriber,
        "saved": request.method != "POST" and request.GET.get("saved") == "1",
        "health_first": request.method != "POST" and request.GET.get("first") == "health",
        "subscriptions": live,
        "others": [
            newsletter
            for newsletter in Newsletter.objects.filter(open_for_signup=True).order_by("name")
            if newsletter.pk not in got
        ],
    }
