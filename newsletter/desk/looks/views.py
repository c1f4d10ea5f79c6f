"""Every form of one mail on one page."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.desk.access import (
    COMPOSE_ARTICLE,
    COMPOSE_ISSUE,
    VIEW_CONDITIONS,
    VIEW_READERS,
    require_any,
)
from newsletter.desk.addresses import way_url
from newsletter.desk.frame import frame
from newsletter.desk.looks.forms import ShareForm
from newsletter.desk.views.preview import KINDS
from newsletter.editions.models import Article, Issue
from newsletter.editions.models.preview import DARK, HTML, NO_IMAGES, TEXT

PHONE, DESKTOP = 375, 680


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    frame: str
    width: int
    current: bool


@require_safe
def looks(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The mail in a frame, as it is chosen by ?as=."""
    thing = thing_of(request, kind, pk)
    return page(request, kind, thing, ShareForm())


def page(
    request: HttpRequest, kind: str, thing: Issue | Article, form: ShareForm, status: int = 200
) -> HttpResponse:
    newest = thing.get_latest_revision_as_object()
    tabs = _tabs(kind, newest, request.GET.get("as", ""))
    compose = COMPOSE_ISSUE if isinstance(thing, Issue) else COMPOSE_ARTICLE
    context: dict[str, Any] = {
        "thing": newest,
        "kind": kind,
        "tabs": tabs,
        "shown": next((tab for tab in tabs if tab.current), tabs[0]),
        "form": form,
        "links": thing.draft_links.open().select_related("created_by"),
        "base": request.build_absolute_uri("/").rstrip("/"),
        "may_share": request.user.has_perm(compose),
        "may_be_reader": kind == "issue"
        and request.user.has_perms((VIEW_READERS, VIEW_CONDITIONS)),
        **frame(
            _("How “%(title)s” looks") % {"title": thing},
            icon="view",
            between=[(str(thing), way_url(thing))],
            here=_("Looks"),
        ),
    }
    return TemplateResponse(request, "desk/looks/looks.html", context, status=status)


def thing_of(request: HttpRequest, kind: str, pk: int) -> Issue | Article:
    """Return what is looked at. Raises Http404 and PermissionDenied."""
    if kind not in KINDS:
        raise Http404
    model, readers = KINDS[kind]
    require_any(request, *readers)
    found: Issue | Article = get_object_or_404(model, pk=pk)
    return found


def _tabs(kind: str, thing: Issue | Article, wanted: str) -> list[Tab]:
    forms = [
        ("desktop", _("Desktop"), HTML, DESKTOP),
        ("phone", _("Phone"), HTML, PHONE),
        ("dark", _("Dark"), DARK, DESKTOP),
        ("phone-dark", _("Phone, dark"), DARK, PHONE),
        ("no-images", _("Without pictures"), NO_IMAGES, DESKTOP),
        ("text", _("Plain text"), TEXT, DESKTOP),
        *(
            (mode, str(label), mode, DESKTOP)
            for mode, label in thing.preview_modes
            if mode.startswith("in-")
        ),
    ]
    names = {name for name, *_rest in forms}
    current = wanted if wanted in names else "desktop"
    return [
        Tab(
            name,
            label,
            reverse("desk:preview", args=[kind, thing.pk, mode or "html"]),
            width,
            name == current,
        )
        for name, label, mode, width in forms
    ]
