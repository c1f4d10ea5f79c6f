"""A link that was cut short, or belongs to another page: what to do instead."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import preferences, tokens
from signup.forms import AddressForm
from signup.models import AddressChange, SignUp, Subscriber, Subscription
from signup.views.frame import posted, send_soon

Purpose = tokens.Purpose
_SAYS_WHOSE = (
    Purpose.CONFIRM,
    Purpose.PREFERENCES,
    Purpose.UNSUBSCRIBE,
    Purpose.ADDRESS,
    Purpose.WITHDRAW,
)


def answer(
    request: HttpRequest, token: str, damaged: str = "signup/link_damaged.html"
) -> HttpResponse:
    """A page for a token that is no token of the page that was opened.

    One of ours for another page still says whose it is, and so does one that lost only its end: a
    button then mails a fresh link, and nothing is typed again. It goes to the reader's own
    mailbox, whoever presses it. Where more is lost nothing can be believed, so the page asks for
    the address, once.
    """
    subscriber_id, is_whole = _whose(token)
    if subscriber_id is not None and request.method == "POST" and posted(request).get("again"):
        send_soon(preferences.request_link_again(subscriber_id=subscriber_id))
        return redirect("signup:preferences_mailed")
    if subscriber_id is not None and is_whole:
        return render(request, "signup/link_foreign.html", status=404)
    known = subscriber_id is not None
    return render(request, damaged, {"form": AddressForm(), "known": known}, status=404)


def _whose(token: str) -> tuple[int | None, bool]:
    """The reader whom a token of ours belongs to, however old it is, and whether it is whole."""
    for purpose in _SAYS_WHOSE:
        try:
            claims = tokens.read(purpose, token)
        except tokens.ExpiredToken as error:
            claims = error.claims
        except tokens.BadToken:
            continue
        return _reader_of(purpose, claims.ids[0]), True
    for purpose in _SAYS_WHOSE:
        if found := tokens.salvage(purpose, token):
            return _reader_of(purpose, found.ids[0]), False
    return None, False


def _reader_of(purpose: Purpose, pk: int) -> int | None:
    readers = Subscriber.objects.filter(erased_at__isnull=True)
    if purpose is Purpose.CONFIRM:
        readers = readers.filter(pk__in=SignUp.objects.filter(pk=pk).values("subscriber"))
    elif purpose in (Purpose.UNSUBSCRIBE, Purpose.WITHDRAW):
        readers = readers.filter(pk__in=Subscription.objects.filter(pk=pk).values("subscriber"))
    elif purpose is Purpose.ADDRESS:
        readers = readers.filter(pk__in=AddressChange.objects.filter(pk=pk).values("subscriber"))
    else:
        readers = readers.filter(pk=pk)
    return readers.values_list("pk", flat=True).first()
