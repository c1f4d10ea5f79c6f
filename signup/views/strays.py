"""A link that was cut short, or belongs to another page: what to do instead."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from signup import preferences, tokens
from signup.forms import AddressForm
from signup.models import AddressChange, SignUp, Subscriber, Subscription
from signup.views.frame import posted, send_soon

Purpose = tokens.Purpose


def answer(
    request: HttpRequest, token: str, damaged: str = "signup/link_damaged.html"
) -> HttpResponse:
    """A page for a token that is no token of the page that was opened.

    One of ours for another page still says whose it is: a button then mails a fresh link, and
    nothing is typed again. It goes to the reader's own mailbox, whoever presses it. Of a token
    that was damaged nothing can be believed, so its page asks for the address, once.
    """
    subscriber_id = _whose(token)
    if subscriber_id is None:
        return render(request, damaged, {"form": AddressForm()}, status=404)
    if request.method == "POST" and posted(request).get("again"):
        send_soon(preferences.request_link_again(subscriber_id=subscriber_id))
        return redirect("signup:preferences_mailed")
    return render(request, "signup/link_foreign.html", status=404)


def _whose(token: str) -> int | None:
    """The reader whom a token of ours belongs to, whatever it is for and however old it is."""
    for purpose in (Purpose.CONFIRM, Purpose.PREFERENCES, Purpose.UNSUBSCRIBE, Purpose.ADDRESS):
        try:
            claims = tokens.read(purpose, token)
        except tokens.ExpiredToken as error:
            claims = error.claims
        except tokens.BadToken:
            continue
        return _reader_of(purpose, claims.ids[0])
    return None


def _reader_of(purpose: Purpose, pk: int) -> int | None:
    readers = Subscriber.objects.filter(erased_at__isnull=True)
    if purpose is Purpose.CONFIRM:
        readers = readers.filter(pk__in=SignUp.objects.filter(pk=pk).values("subscriber"))
    elif purpose is Purpose.UNSUBSCRIBE:
        readers = readers.filter(pk__in=Subscription.objects.filter(pk=pk).values("subscriber"))
    elif purpose is Purpose.ADDRESS:
        readers = readers.filter(pk__in=AddressChange.objects.filter(pk=pk).values("subscriber"))
    else:
        readers = readers.filter(pk=pk)
    return readers.values_list("pk", flat=True).first()
