"""The page behind the mail that asks whether a newsletter is still wanted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import tokens, unsubscribe
from signup.consent import renewal
from signup.models import ConsentEntry, RenewalQuestion, Subscription
from signup.views import strays
from signup.views.frame import personal, posted


@personal
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """GET: the words to agree to, a button for yes and one for no. POST: what was pressed.

    The link neither shows nor adds: it keeps what its reader has, or ends it.
    """
    try:
        claims = tokens.read(tokens.Purpose.RENEW, token)
    except tokens.BadToken:
        return strays.answer(request, token)
    question = (
        RenewalQuestion.objects.select_related("subscription__newsletter", "text", "renewal")
        .filter(pk=claims.ids[0])
        .first()
    )
    if question is None or question.subscription.state != Subscription.State.LIVE:
        return render(request, "signup/keep_too_late.html", status=410)
    if request.method != "POST":
        return render(request, "signup/keep.html", {"question": question})
    if "stop" in posted(request):
        ended = unsubscribe.end(
            subscription=question.subscription,
            reason=Subscription.EndedReason.UNSUBSCRIBED,
            method=ConsentEntry.Method.LINK,
        )
        if ended.undo_token:
            return redirect("signup:goodbye", token=ended.undo_token)
        return redirect("signup:goodbye_plain")
    try:
        renewal.keep(question=question)
    except renewal.TooLate:
        return render(request, "signup/keep_too_late.html", status=410)
    return redirect("signup:kept")


@personal
def kept(request: HttpRequest) -> HttpResponse:
    """Thanks, and nothing about what was kept."""
    return render(request, "signup/kept.html")
