"""Stopping one section of a digest from the mail: one press, no login."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import section_links, tokens, unfollow
from signup.views import strays
from signup.views.frame import personal


@personal
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET: one button. POST: that section comes no more, as of now.

    Mails are forwarded. So the page is the same for everybody: it names neither the reader nor
    the condition, nor tells whether it is still followed. It works for ever.
    """
    try:
        section = section_links.read(token)
    except tokens.BadToken:
        return strays.answer(request, token)
    if request.method != "POST":
        unsubscribe = tokens.unsubscribe_token(section.subscription_id)
        return render(request, "signup/stop_section.html", {"unsubscribe": unsubscribe})
    unfollow.stop(section)
    return redirect("signup:section_stopped")


@personal
def stopped(request: HttpRequest) -> HttpResponse:
    """The same words for everybody, whether there was something to stop or not."""
    return render(request, "signup/section_stopped.html")
