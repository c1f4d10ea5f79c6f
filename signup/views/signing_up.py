"""The forms, and "check your inbox"."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition, Newsletter
from signup import guard, letter, subscribe
from signup.forms import ConditionSignUpForm, SignUpForm, UnfinishedSignUpForm
from signup.views.finding import is_search
from signup.views.frame import judged, public, refusal, send_soon
from signup.views.trouble import keeps_what_was_typed


@public
@keeps_what_was_typed
def sign_up(request: HttpRequest) -> HttpResponse:
    """The whole form: newsletters, conditions, cadence. `?condition=slug` ticks one box."""
    template = "signup/sign_up.html"
    if request.method != "POST":
        asked = request.GET.getlist("condition")[:20]
        form = SignUpForm(initial={"conditions": asked}, query=request.GET.get("q", ""))
        return render(request, template, {"form": form})
    if is_search(request):
        # By POST, so that neither the address nor the ticked conditions stand in an address.
        unfinished = UnfinishedSignUpForm(request.POST, query=request.POST.get("q", ""))
        response = render(request, template, {"form": unfinished})
        response["Cache-Control"] = "no-store, private"
        return response
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return refusal(request, template, {"form": form}, None)
    verdict = judged(request, form)
    if not form.is_valid():
        return refusal(request, template, {"form": form}, verdict)
    return _ask(
        form,
        verdict,
        newsletters=form.chosen_newsletters(),
        conditions=form.cleaned_data["conditions"],
        form_url=settings.BASE_URL + reverse("signup:sign_up"),
    )


@public
@keeps_what_was_typed
def condition_sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    """The short form by itself: where a condition page's form is sent, and shown again if wrong."""
    condition = get_object_or_404(Condition.objects.open(), slug=slug)
    template = "signup/condition_sign_up.html"
    if request.method != "POST":
        form = ConditionSignUpForm(condition=condition)
        form.place = guard.Place.CONDITION_SIGN_UP_PAGE
        return render(request, template, {"form": form, "condition": condition})
    form = ConditionSignUpForm(request.POST, condition=condition)
    form_url = _url_of(form, condition)
    form.place = guard.Place.CONDITION_SIGN_UP_PAGE
    context = {"form": form, "condition": condition}
    verdict = judged(request, form) if form.is_valid() else None
    if verdict is None or not form.is_valid():
        return refusal(request, template, context, verdict)
    try:
        return _ask(form, verdict, newsletters=[], conditions=[condition], form_url=form_url)
    except subscribe.NothingChosen:
        form.add_error(None, _("Conditions cannot be followed here at the moment."))
        return refusal(request, template, context, None)


@public
def check_inbox(request: HttpRequest) -> HttpResponse:
    """What happens next. The same page for everybody; it knows nothing of who is looking."""
    return render(request, "signup/check_inbox.html", {"sender": letter.sender_address()})


def _ask(
    form: SignUpForm | ConditionSignUpForm,
    verdict: guard.Verdict,
    *,
    newsletters: list[Newsletter],
    conditions: list[Condition],
    form_url: str,
) -> HttpResponse:
    if verdict is guard.Verdict.LET_IN:
        mail = subscribe.request_sign_up(
            address=form.address,
            newsletters=newsletters,
            conditions=conditions,
            cadence=form.cleaned_data["cadence"],
            consent_texts=form.agreed(),
            first_name=form.cleaned_data["first_name"],
            language=_language(),
            form_url=form_url,
        )
        send_soon(mail)
    # A page of its own, so that loading it again sends nothing; no address stands in its own.
    return redirect("signup:check_inbox")


def _url_of(form: ConditionSignUpForm, condition: Condition) -> str:
    """The page on which the boxes were ticked, as its signed token says."""
    token = form.token
    if token is not None and token.place is guard.Place.CONDITION_PAGE:
        path = f"/conditions/{condition.slug}/"
    else:
        path = reverse("signup:condition_sign_up", args=[condition.slug])
    return settings.BASE_URL + path


def _language() -> str:
    known: dict[str, Any] = dict(settings.LANGUAGES)
    language = get_language() or settings.LANGUAGE_CODE
    return language if language in known else settings.LANGUAGE_CODE
