"""Unsubscribing: one button, no questions; RFC 8058's one click on the same address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from signup import tokens
from signup import unsubscribe as verb
from signup.forms.parting import PartingForm
from signup.models import ConsentEntry, Subscription
from signup.views import strays
from signup.views.frame import personal, posted

# The name of our own page's button. Any other POST comes from a mail program.
BUTTON = "end"


@personal
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET: one button. POST: end this one newsletter, or all, at once.

    The link may have been forwarded, so the page shows neither the reader nor anything else
    that the reader gets. It works for ever: also for readers who have left or were erased.
    """
    try:
        claims = tokens.read(tokens.Purpose.UNSUBSCRIBE, token)
    except tokens.BadToken:
        return strays.answer(request, token, damaged="signup/unsubscribe_damaged.html")
    subscription = (
        Subscription.objects.select_related("newsletter", "subscriber")
        .filter(pk=claims.ids[0])
        .first()
    )
    if request.method == "POST":
        answers = posted(request)
        return _end(
            subscription,
            one_click=BUTTON not in answers,
            everything=BUTTON in answers and answers.get("which") == "everything",
        )
    if subscription is None or subscription.state == Subscription.State.ENDED:
        return render(request, "signup/unsubscribed_already.html")
    return render(request, "signup/unsubscribe.html", {"newsletter": subscription.newsletter})


@personal
def goodbye(request: HttpRequest, token: str = "") -> HttpResponse:
    """What was done, a button that takes it back for thirty minutes, and room to say why."""
    form = PartingForm(request.POST if request.method == "POST" else None)
    if token and request.method == "POST" and form.is_valid():
        if form.says_something:
            verb.say_why(token=token, **form.cleaned_data)
        return redirect(f"{reverse('signup:goodbye', args=[token])}?thanks=1")
    offered = None
    if token:
        try:
            tokens.read(tokens.Purpose.UNDO, token)
            offered = token
        except tokens.BadToken:
            offered = None
    status = 422 if request.method == "POST" and offered else 200
    context = {
        "undo_token": offered,
        "form": form,
        "thanks": request.method != "POST" and request.GET.get("thanks") == "1",
    }
    return render(request, "signup/goodbye.html", context, status=status)


@personal
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Take an ending back, once. GET shows the same button again and changes nothing."""
    if request.method != "POST":
        return goodbye(request, token)
    try:
        verb.undo(token=token)
    except (tokens.BadToken, verb.CannotUndo):
        return render(request, "signup/undo_refused.html", status=410)
    return render(request, "signup/undone.html")


def _end(subscription: Subscription | None, *, one_click: bool, everything: bool) -> HttpResponse:
    reason = (
        Subscription.EndedReason.ONE_CLICK if one_click else Subscription.EndedReason.UNSUBSCRIBED
    )
    method = ConsentEntry.Method.ONE_CLICK if one_click else ConsentEntry.Method.LINK
    ended = verb.Ended(changed=False)
    if subscription is not None and everything:
        ended = verb.end_all(subscriber=subscription.subscriber, reason=reason, method=method)
    elif subscription is not None:
        ended = verb.end(subscription=subscription, reason=reason, method=method)
    if one_click:
        # RFC 8058 section 3.1: answered here and now, without a redirect.
        return HttpResponse("You are unsubscribed.\n", content_type="text/plain; charset=utf-8")
    if ended.undo_token:
        return redirect("signup:goodbye", token=ended.undo_token)
    return redirect("signup:goodbye_plain")
