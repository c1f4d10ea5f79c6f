"""When something of ours fails under a form: say so, and keep what was typed."""

import functools
import logging
from typing import Any

from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from kombu.exceptions import OperationalError as BrokerTrouble
from redis.exceptions import RedisError

from newsletter.catalogue.models import Condition, PublicWords, Publisher
from signup.forms import ConditionSignUpForm, SignUpForm
from signup.views.frame import View

log = logging.getLogger(__name__)

OURS = (DatabaseTrouble, RedisError, BrokerTrouble, OSError)
RETRY_AFTER_SECONDS = 120
# More than any form of ours has boxes; a machine that sends more need not get them back.
MOST_VALUES = 500
_KNOWN = SignUpForm.base_fields.keys() | ConditionSignUpForm.base_fields.keys()
# Shown as fields of their own, or made anew by the guard's.
_NOT_KEPT = {"email", "first_name", "conditions", "nickname_2", "form_token", "proof_of_work"}


def keeps_what_was_typed(view: View) -> View:
    """Answer a POST that fails for a reason of ours with 503 and the same fields, filled in."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except UnreadablePostError:
            raise  # the visitor's line broke: there is nobody left to answer
        except OURS as error:
            if request.method != "POST":
                raise
            # The name only: a database's words can quote what was typed.
            log.error("A form could not be taken: %s", type(error).__qualname__)
            return _trouble(request)

    return wrapped


def _trouble(request: HttpRequest) -> HttpResponse:
    """Nothing here asks the database: it may be what failed."""
    conditions = request.POST.getlist("conditions")[:MOST_VALUES]
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        if name in _KNOWN - _NOT_KEPT
        for value in values[:MOST_VALUES]
    ]
    response = render(
        request,
        "signup/trouble.html",
        {
            "publisher": Publisher.last_read(),
            "words": PublicWords.last_read(),
            "languages": [],
            "email": request.POST.get("email", ""),
            "first_name": request.POST.get("first_name", ""),
            "conditions": [(slug, _name_of(slug)) for slug in conditions],
            "kept": kept,
            # The token that came: it names the wordings that stood beside the boxes.
            "form": {"fresh_token": request.POST.get("form_token", "")},
        },
        status=503,
    )
    add_never_cache_headers(response)
    response["Cache-Control"] = "no-store, private"
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _name_of(slug: str) -> str:
    """As the form named it; in a process that has shown no form yet, what the address says."""
    return Condition.last_read_name(slug) or slug.replace("-", " ").capitalize()
