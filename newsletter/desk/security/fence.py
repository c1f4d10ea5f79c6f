"""Keeps staff who are limited to some newsletters or conditions within them, at every address.

One place asks, before any view: a page that is added under an address named here is fenced
without anybody having to think of it, and one that is not named is closed to whoever is limited.
Permissions are asked by the views, as ever; lists, forms and choosers narrow themselves
(newsletter.desk.models.limits).
"""

import re
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.snippets.models import get_snippet_models

from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models import User
from newsletter.desk.models.limits import Limits, limits_of
from newsletter.editions.models import Article, DraftLink, Issue, IssueTemplate
from newsletter.sending.models import Mailing

# What stands behind the number in an address below /admin/.
BEHIND: tuple[tuple[str, type[Model]], ...] = (
    ("issues/", Issue),
    ("articles/", Article),
    ("conditions/", Condition),
    ("newsletters/", Newsletter),
    ("mailings/", Mailing),
    ("templates/", IssueTemplate),
    ("sign-offs/", Approval),
    ("looks/links/", DraftLink),
    ("snippets/choose/editions/issue/", Issue),
    ("snippets/choose/editions/article/", Article),
    ("snippets/choose/catalogue/condition/", Condition),
    ("snippets/choose/catalogue/newsletter/", Newsletter),
)
# Looks and previews say in the address which of the two it is.
KINDS: dict[str, type[Model]] = {"issue": Issue, "article": Article}
# One's own account, the way in and out, pictures, and what holds nothing of anybody's.
OPEN = re.compile(
    r"^$|^(login|logout|invitation|account|password_reset|security/(prove|factor)|away|sprite|jsi18n"
    r"|dismissibles|block-preview|tag-autocomplete|choose-\w+-link|editing-sessions/release"
    r"|images)/"
)
# In these lists of things, what is shown besides tells of other things.
TELLS_OF_OTHERS = re.compile(r"/usage/|^images/(usage|\d+/delete|multiple/\d+/delete)/")
# Something new there would lie outside the limit of whoever makes it.
NOTHING_NEW = re.compile(r"^(conditions|newsletters)/add/")
# Wagtail's pages, sites, workflow settings and reports on pages: made for what is not here. Whoever
# could change the workflow there would take the reviewer out of it.
LEFTOVERS = re.compile(
    r"^(pages|sites|workflows)/|^reports/(locked|aging-pages|page-types-usage)/|^snippets/$"
)
# Making something from within a chooser: nothing here is, and Wagtail would answer with an error.
CHOOSER_MAKES = re.compile(r"^snippets/choose/\w+/\w+/create/")
# Wagtail's ways of making, changing and deleting accounts, and where ours are.
ACCOUNTS = re.compile(r"^users/(?:(?P<deed>edit|delete|history|usage|copy)/(?P<pk>\d+)/)?")


class Fence:
    """Middleware. Stands behind the one for messages: a refusal says why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        desk = reverse("wagtailadmin_home")
        if not request.path_info.startswith(desk) or isinstance(request.user, AnonymousUser):
            return None
        address = request.path_info.removeprefix(desk)
        account = ACCOUNTS.match(address)
        if account is not None:
            number = account["pk"]
            return redirect("desk:person", number) if number else redirect("desk:people")
        if address.startswith("bulk/"):
            return _bulk(request, **kwargs)
        if LEFTOVERS.match(address):
            return refuse(request, _("That part of Wagtail is not used here."))
        if CHOOSER_MAKES.match(address):
            return refuse(request, _("Make it on its own page, then choose it here."))
        limits = limits_of(request.user)
        if limits and not _within(limits, address, args, kwargs, request):
            return refuse(request, _("That is outside what you work on here."))
        return None


def refuse(request: HttpRequest, why: str) -> HttpResponse:
    """Back to the dashboard with a sentence; a script gets 403."""
    if request.headers.get("x-requested-with") == "XMLHttpRequest":
        raise PermissionDenied
    messages.error(request, why)
    return redirect("wagtailadmin_home")


def _within(
    limits: Limits,
    address: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    request: HttpRequest,
) -> bool:
    if TELLS_OF_OTHERS.search(address) or _is_new(limits, address):
        return False
    if OPEN.match(address):
        return True
    if address.startswith("editing-sessions/ping/"):
        kinds: dict[tuple[str, str], type[Model]] = {
            ("editions", "issue"): Issue,
            ("editions", "article"): Article,
            ("catalogue", "condition"): Condition,
            ("catalogue", "newsletter"): Newsletter,
        }
        model = kinds.get((kwargs["app_label"], kwargs["model_name"]))
        return model is not None and _all_within(limits, model, [kwargs["object_id"]])
    if "kind" in kwargs:
        return kwargs["kind"] in KINDS and _all_within(
            limits, KINDS[kwargs["kind"]], [kwargs["pk"]]
        )
    if address.startswith("looks/issue/"):
        return _all_within(limits, Issue, [kwargs["pk"]])
    for beginning, model in BEHIND:
        if address.startswith(beginning):
            numbers = [kwargs[name] for name in ("pk",) if name in kwargs]
            if "chosen-multiple/" in address:
                numbers += request.GET.getlist("id")
            return _all_within(limits, model, numbers)
    return False


def _is_new(limits: Limits, address: str) -> bool:
    if not NOTHING_NEW.match(address):
        return False
    limited = limits.conditions if "condition" in address else limits.newsletters
    return limited is not None


def _all_within(limits: Limits, model: type[Model], numbers: list[Any]) -> bool:
    """What is not there is left to the view, which answers 404."""
    try:
        found = list(model._default_manager.filter(pk__in=numbers))
    except (TypeError, ValueError):
        return False
    return all(limits.allow(thing) for thing in found)


def _bulk(
    request: HttpRequest, app_label: str, model_name: str, action: str
) -> HttpResponse | None:
    """Wagtail answers "0 issues deleted" to whoever may not delete: here it is a refusal."""
    models = {model._meta.label_lower: model for model in get_snippet_models()}
    model = models.get(f"{app_label}.{model_name}")
    if model in (Issue, Article) or app_label == User._meta.app_label:
        return refuse(request, _("Nothing here is deleted or changed many at a time."))
    limits = limits_of(request.user)
    if model is None:  # pictures, for which Wagtail asks itself
        return None
    if not request.user.has_perm(f"{app_label}.{action}_{model_name}"):
        return refuse(request, _("You may not delete these. Ask an administrator."))
    numbers = request.GET.getlist("id")
    if limits and ("all" in numbers or not _all_within(limits, model, numbers)):
        return refuse(request, _("Some of these are outside what you work on here."))
    return None
