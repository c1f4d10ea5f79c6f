"""What the public pages' frame needs to know: where we are, in which languages, which drawings."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.archive import languages

register = template.Library()

_NAME = re.compile(r"[a-z0-9-]+")


@register.simple_tag(takes_context=True)
def here(context: Context, *view_names: str) -> SafeString | str:
    """Mark the navigation's link to the page, or to the section, that is being shown."""
    match = getattr(context.get("request"), "resolver_match", None)
    if match is None or match.view_name not in view_names:
        return ""
    value = "page" if match.view_name == view_names[0] else "true"
    return format_html(' aria-current="{}"', value)


@dataclass(frozen=True, slots=True)
class Choice:
    """One language of the switch: its own name, and where this very page stands in it."""

    code: str
    name: str
    href: str
    is_current: bool


def _offered(request: HttpRequest) -> list[str]:
    """Asked of the database once a page."""
    known: list[str] | None = getattr(request, "_languages_offered", None)
    if known is None:
        known = languages.offered()
        request._languages_offered = known  # type: ignore[attr-defined]
    return known


@register.simple_tag(takes_context=True)
def language_choices(context: Context) -> list[Choice]:
    """Return what the language switch offers; nothing where there is nothing to choose."""
    request = context.get("request")
    if request is None or "languages" in context:
        return []  # an error page that must not ask the database
    codes = _offered(request)
    if len(codes) < 2:
        return []
    _prefix, path = languages.split(request.path)
    query = request.META.get("QUERY_STRING", "")
    names = dict(settings.LANGUAGES)
    return [
        Choice(
            code,
            names.get(code, code),
            f"/{code}{path}" + (f"?{query}" if query and request.method == "GET" else ""),
            code == get_language(),
        )
        for code in codes
    ]


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Where a public page stands, for search engines: itself, and in each language."""

    canonical: str
    languages: list[tuple[str, str]]


# Public pages outside the archive. No other is named: an address with a reader's token in it is
# for that reader alone.
_PUBLIC = ("signup:sign_up", "signup:privacy")


@register.simple_tag(takes_context=True)
def page_links(context: Context) -> PageLinks | None:
    """Return the absolute addresses of this page, or None where they are nobody's business.

    Of the query only the page's number stays: a search is not a page of its own.
    """
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if request is None or match is None:
        return None
    if match.namespace != "archive" and match.view_name not in _PUBLIC:
        return None
    number = request.GET.get("page", "")
    query = f"?page={number}" if number.isascii() and number.isdigit() and number != "1" else ""
    _prefix, path = languages.split(request.path)
    canonical = f"{settings.BASE_URL}{quote(request.path)}{query}"
    codes = _offered(request)
    if len(codes) < 2:
        return PageLinks(canonical, [])
    found = [(each, f"{settings.BASE_URL}/{each}{quote(path)}{query}") for each in codes]
    return PageLinks(canonical, [*found, ("x-default", f"{settings.BASE_URL}{quote(path)}{query}")])


@register.filter
def day(value: date | None) -> str:
    """Return "22 November 2026" as the reader's language writes it."""
    return date_format(_in_zone(value), _("j F Y")) if value else ""


@register.filter
def month(value: date | None) -> str:
    return date_format(_in_zone(value), _("F Y")) if value else ""


@register.filter
def day_and_time(value: date | None) -> str:
    return date_format(_in_zone(value), _("j F Y, H:i")) if value else ""


def _in_zone(value: date) -> date:
    """As the filter `date` does it: a moment is shown in the zone that is active."""
    return timezone.localtime(value) if isinstance(value, datetime) else value


@register.simple_tag
def drawing(name: str) -> str:
    """Return the address of a drawing in static/art/, or "" where there is none of that name.

    A condition may name a drawing that a publisher has not supplied; the page does without it.
    """
    if not _NAME.fullmatch(name):
        return ""
    path = f"art/{name}.svg"
    hashed = getattr(staticfiles_storage, "hashed_files", None)
    known = path in hashed if hashed else finders.find(path) is not None
    return staticfiles_storage.url(path) if known else ""
