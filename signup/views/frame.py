"""What the pages of signup share: headers, the guard's questions, the hand-over to the worker."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from signup import guard, handing_over
from signup.forms import GuardedForm
from signup.models import SystemMail

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """GET, HEAD and POST, without a cookie; see the package's docstring on CSRF."""
    return csrf_exempt(require_http_methods(["GET", "HEAD", "POST"])(view))


def personal(view: View) -> View:
    """A page behind a token: never stored, never named to another site, never indexed."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store, private"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        # Django logs the path of every 4xx answer; here the path is the token (standard F7).
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return public(wrapped)


def judged(request: HttpRequest, form: GuardedForm) -> guard.Verdict:
    """Ask the guard about a valid form, and tell the form what the person should hear."""
    verdict = guard.judge(
        address_key=form.address.key,
        network=guard.network_of(request.META),
        token=form.token,
        trap=form.trap,
        proof=form.proof,
    )
    if verdict is guard.Verdict.PRESS_AGAIN:
        form.add_error(
            None,
            _("Press the button once more. Part of the form did not reach us as we sent it out."),
        )
    elif verdict is guard.Verdict.PROVE_FIRST:
        form.add_error(
            None,
            _(
                "Very many people sign up just now. Your browser is doing a short sum to show "
                "that you are no machine. Wait a few seconds, then press the button once more. "
                "If your browser runs no scripts, try again in an hour."
            ),
        )
    elif verdict is guard.Verdict.NO_MAILBOX:
        form.add_error(
            "email",
            _("Check the part after the @. %(domain)s takes no e-mail.")
            % {"domain": form.address.key.rpartition("@")[2]},
        )
    elif verdict is guard.Verdict.TOO_MANY:
        # From one network, with one provider, or at all: which of them is nobody's business.
        form.add_error(None, _("Too many people sign up just now. Try again in an hour."))
    return verdict


def refusal(
    request: HttpRequest, template: str, context: Mapping[str, Any], verdict: guard.Verdict | None
) -> HttpResponse:
    """Show the form again with everything that was typed."""
    slowed = (guard.Verdict.TOO_MANY, guard.Verdict.PROVE_FIRST)
    status = 429 if verdict in slowed else 422
    response = render(request, template, dict(context), status=status)
    # What somebody typed stands on this page.
    response["Cache-Control"] = "no-store, private"
    # The guard says once that an attack has begun; a line for each attempt would fill the log.
    response._has_been_logged = status == 429  # type: ignore[attr-defined]
    return response


def send_soon(mail: SystemMail | None) -> None:
    """Hand the mail to the worker; also when none is due, so that both take as long.

    The row is the truth: when the broker is away, the sweep sends the mail a little later.
    """
    transaction.on_commit(functools.partial(handing_over.hand_over, mail.pk if mail else None))


def posted(request: HttpRequest) -> Mapping[str, Any]:
    """Return the form data, or nothing when the body cannot be read.

    For addresses where the token alone says what is to happen: a mail program's clumsy body must
    not keep a reader from leaving.
    """
    try:
        return request.POST
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return {}
