"""A form that stands on another web site is sent here; opened, it stands here too."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation

from signup import guard, subscribe
from signup.embed import address
from signup.embed.offer import offer_of
from signup.forms.embedded import EmbeddedSignUpForm
from signup.models import EmbedForm
from signup.views.frame import judged, public, refusal, send_soon
from signup.views.trouble import keeps_what_was_typed

TEMPLATE = "signup/embed/form.html"
# Hundreds of conditions fit in; what is larger is no form of ours.
MOST_BYTES = 64 * 1024


@public
@keeps_what_was_typed
def embedded(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take the form in, or show it again on our own page with everything that was typed.

    What the other site cannot have, a fresh sum for the guard or the newest wording, our page
    has: one more press, nothing to type again.
    """
    if size(request) > MOST_BYTES:
        raise RequestDataTooBig("A sign-up form is smaller than that.")
    embed = get_object_or_404(EmbedForm, public_id=public_id)
    with translation.override(address.language_of(embed)):
        response = _answer(request, embed)
    # Browsers hold the page that is left to its form-action through every redirect.
    response._csp_update = {"form-action": embed.origins}  # type: ignore[attr-defined]
    return response


def _answer(request: HttpRequest, embed: EmbedForm) -> HttpResponse:
    offer = offer_of(embed, remembered=request.method == "POST")
    if not embed.is_open or offer.is_empty:
        return render(request, "signup/embed/closed.html", status=410)
    if request.method != "POST":
        return render(request, TEMPLATE, {"form": EmbeddedSignUpForm(embed=embed, offer=offer)})
    form = EmbeddedSignUpForm(request.POST, embed=embed, offer=offer)
    verdict = judged(request, form) if form.is_valid() else None
    if verdict is None or not form.is_valid():
        return refusal(request, TEMPLATE, {"form": form}, verdict)
    take(form, verdict, origin=request.headers.get("Origin"))
    if form.return_page is not None:
        return HttpResponseRedirect(form.return_page)
    return redirect("signup:check_inbox")


def take(form: EmbeddedSignUpForm, verdict: guard.Verdict, *, origin: str | None) -> None:
    """Ask for the confirmation of a valid form that the guard is content with."""
    if verdict is not guard.Verdict.LET_IN:
        return
    mail = subscribe.request_sign_up(
        address=form.address,
        newsletters=form.chosen_newsletters(),
        conditions=form.cleaned_data["conditions"],
        cadence=form.cleaned_data["cadence"],
        consent_texts=form.agreed(),
        first_name=form.cleaned_data["first_name"],
        language=address.language_of(form.embed),
        form_url=address.stood_on(form.embed, origin),
    )
    send_soon(mail)


def size(request: HttpRequest) -> int:
    """Return the length of the body as announced; no more than that is read (PEP 3333)."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0
