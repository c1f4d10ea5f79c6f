"""The JSON way in (docs/embedding.md): the same form, guard and verbs as the page, other bytes.

Described at /api/v1/openapi.json. There is no page with the documentation to click on: it would
load scripts of third parties. A web site's script may ask only for the forms that list its site.
"""

import functools
import logging
import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from django.db import Error as DatabaseTrouble
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError as BrokerTrouble
from ninja import NinjaAPI, Query, Schema, Status
from ninja.decorators import decorate_view
from ninja.errors import HttpError, ValidationError
from pydantic import ConfigDict, Field
from redis.exceptions import RedisError

from newsletter.catalogue.models import PublicWords
from signup import guard
from signup.embed import address
from signup.embed.offer import Offer, offer_of
from signup.forms.embedded import EmbeddedSignUpForm
from signup.guard import proof_of_work
from signup.models import EmbedForm
from signup.views.embedded import size, take
from signup.views.frame import judged

log = logging.getLogger(__name__)

Verdict = guard.Verdict
# The limits that answer 429 count by the hour (signup.guard.limits).
WINDOW = 3_600
RETRY_AFTER_TROUBLE = 120
MOST_BYTES = 32 * 1024
MOST_FAULTS = 50

Slug = Annotated[str, Field(max_length=50)]
PublicId = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="The form's public id.")]


class SignUpsAPI(NinjaAPI):
    """Answers say to which web site they may be read out, and are never kept."""

    def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
        response = super().create_response(request, data, **kwargs)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        patch_vary_headers(response, ["Origin"])
        origin = getattr(request, "_may_read", None)
        if origin:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Retry-After"
        # Django logs 4xx with their path; these say nothing that staff should act on.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


api = SignUpsAPI(
    title="Wellread sign-up",
    version="1",
    description=(
        "Sign readers up from your own form. Get /form first: it has the wordings to show beside "
        "unticked boxes, a signed token and a challenge (ALTCHA, version 2). Nobody is mailed "
        "before the button behind the confirmation mail was pressed, and the answer does not "
        "tell whether an address is known."
    ),
    docs_url=None,
    urls_namespace="signup:api",
)


class Choice(Schema):
    slug: str
    name: str
    language: str


class FormOut(Schema):
    """What to show, and what to send back."""

    form: str
    language: str
    promise: str
    data_sentences: list[str]
    newsletters: list[Choice]
    conditions: list[Choice]
    cadences: list[str]
    wordings: dict[str, str] = Field(
        description="By purpose (mail, health, measurement): the words to show beside the box."
    )
    form_token: str
    challenge: dict[str, Any] = Field(
        description="ALTCHA, version 2. Send the solution as proof_of_work: limits are wider then."
    )


class SignUpIn(Schema):
    """One sign-up. The names are those of the form on the page."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    form: PublicId
    form_token: str = Field("", max_length=200)
    proof_of_work: str = Field("", max_length=4_000)
    nickname_2: str = Field("", max_length=1_000, description="The trap: a field nobody sees.")
    email: str = Field(max_length=600)
    first_name: str = Field("", max_length=600)
    newsletters: list[Slug] = Field(default_factory=list, max_length=500)
    conditions: list[Slug] = Field(default_factory=list, max_length=500)
    cadence: str = Field("", max_length=20)
    consent_mail: bool = False
    consent_health: bool = False
    consent_measurement: bool = False


class Taken(Schema):
    """The same for every address."""

    state: str
    message: str


class Fault(Schema):
    """`field` is empty where the fault is in no single one; `code` is for programs."""

    field: str
    code: str
    message: str


class Refused(Schema):
    errors: list[Fault]


def small_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse what is no JSON, or too much of it, before it is read.

    A page of any site can send a form without asking first, but no JSON.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.content_type != "application/json":
            return _not_taken(request, HttpError(415, "Send application/json."))
        if size(request) > MOST_BYTES:
            return _not_taken(request, HttpError(413, f"Send at most {MOST_BYTES} bytes."))
        return view(request, *args, **kwargs)

    return wrapped


# --- The three requests -----------------------------------------------------------------------


@api.get("/form", response={200: FormOut, 404: Refused, 410: Refused}, operation_id="form")
def form(request: HttpRequest, form: Query[PublicId]) -> Any:
    """What a form offers today, in its language, with a new token and a new challenge."""
    embed, offer = _found(request, form)
    with translation.override(address.language_of(embed)):
        blank = EmbeddedSignUpForm(embed=embed, offer=offer)
        words = PublicWords.current()
        return Status(
            200,
            {
                "form": embed.public_id,
                "language": address.language_of(embed),
                "promise": words.shown_promise,
                "data_sentences": words.data_sentences,
                "newsletters": [_choice(one) for one in offer.newsletters],
                "conditions": [_choice(one) for one in offer.conditions],
                "cadences": [value for value, _label in blank.fields["cadence"].choices],  # type: ignore[attr-defined]
                "wordings": blank.wording,
                "form_token": blank.fresh_token,
                "challenge": proof_of_work.challenge(),
            },
        )


@api.post(
    "/sign-ups",
    response={202: Taken, 422: Refused, 429: Refused},
    operation_id="sign_up",
)
@decorate_view(small_json)
def sign_up(request: HttpRequest, asked: SignUpIn) -> Any:
    """Ask for one confirmation mail. Nothing else happens until its button is pressed."""
    embed, offer = _found(request, asked.form)
    with translation.override(address.language_of(embed)):
        filled = EmbeddedSignUpForm(asked.dict(), embed=embed, offer=offer)
        verdict = judged(request, filled) if filled.is_valid() else None
        if verdict is None or not filled.is_valid():
            return _refuse(request, filled, verdict)
        take(filled, verdict, origin=request.headers.get("Origin"))
        said = PublicWords.current().shown_success
        return Status(202, {"state": "check_inbox", "message": said})


@api.api_operation(["OPTIONS"], "/sign-ups", include_in_schema=False)
def may_ask(request: HttpRequest) -> HttpResponse:
    """A browser asks beforehand whether a script of that web site may send JSON here.

    It does not say for which form; the request itself does, and is refused if that does not list
    the site.
    """
    origin = request.headers.get("Origin", "")
    answer = HttpResponse(status=204)
    patch_vary_headers(answer, ["Origin"])
    forms = EmbedForm.objects.filter(is_open=True).exclude(return_pages="")
    if origin and any(origin in form.origins for form in forms):
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Allow-Methods"] = "POST"
        answer["Access-Control-Allow-Headers"] = "Content-Type"
        answer["Access-Control-Max-Age"] = "600"
    return answer


# --- What they share -------------------------------------------------------------------------


def _found(request: HttpRequest, public_id: str) -> tuple[EmbedForm, Offer]:
    """Return an open form and its offer, if this web site's script may ask for it."""
    embed = get_object_or_404(EmbedForm, public_id=public_id)
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin not in embed.origins:
            raise HttpError(403, "This form does not list your web site.")
        request._may_read = origin  # type: ignore[attr-defined]
    offer = offer_of(embed, remembered=request.method == "POST")
    if not embed.is_open or offer.is_empty:
        raise HttpError(410, "This form is closed.")
    return embed, offer


def _choice(one: Any) -> dict[str, str]:
    return {"slug": one.slug, "name": one.name, "language": one.language}


def _refuse(request: HttpRequest, filled: EmbeddedSignUpForm, verdict: Verdict | None) -> Any:
    code = verdict.name.lower() if verdict else "invalid"
    faults = [
        Fault(field="" if name == "__all__" else name, code=code, message=str(message))
        for name, messages in filled.errors.items()
        for message in messages
    ]
    if verdict in (Verdict.TOO_MANY, Verdict.PROVE_FIRST):
        response = api.create_response(request, Refused(errors=faults).dict(), status=429)
        response["Retry-After"] = str(WINDOW - int(time.time()) % WINDOW)
        return response
    if filled.token is None:
        # The boxes are faulted with it, since nobody knows which words stood beside them.
        said = _("Ask for the form again: its token is missing or damaged.")
        faults.insert(0, Fault(field="form_token", code="token", message=said))
    return Status(422, Refused(errors=faults))


@api.exception_handler(ValidationError)
def _not_as_described(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The JSON is no sign-up: say which field, and never repeat what was in it."""
    faults = [
        {
            "field": ".".join(str(part) for part in fault["loc"][2:])[:100],
            "code": str(fault["type"]),
            "message": str(fault["msg"]),
        }
        for fault in error.errors[:MOST_FAULTS]
    ]
    return api.create_response(request, {"errors": faults}, status=422)


@api.exception_handler(HttpError)
def _not_taken(request: HttpRequest, error: HttpError) -> HttpResponse:
    fault = {"field": "", "code": str(error.status_code), "message": str(error)}
    return api.create_response(request, {"errors": [fault]}, status=error.status_code)


@api.exception_handler(Http404)
def _no_form(request: HttpRequest, _error: Http404) -> HttpResponse:
    fault = {"field": "form", "code": "404", "message": "There is no such form."}
    return api.create_response(request, {"errors": [fault]}, status=404)


def _ours(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """Something of ours failed: nothing was kept, and the same request may be sent again."""
    # The name only: a database's words can quote what was typed.
    log.error("A sign-up could not be taken: %s", type(error).__qualname__)
    fault = {"field": "", "code": "503", "message": PublicWords.last_read().shown_failure}
    response = api.create_response(request, {"errors": [fault]}, status=503)
    response["Retry-After"] = str(RETRY_AFTER_TROUBLE)
    return response


for _trouble in (DatabaseTrouble, RedisError, BrokerTrouble):
    api.add_exception_handler(_trouble, _ours)
