"""What search engines may know of: sitemap.xml in parts, and robots.txt.

Only what is public and in our own words. Nothing in them differs from visitor to visitor.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.archive import published

# The protocol allows 50,000; a part of this size is made in a fraction of a second.
A_PART = 10_000
_FRESH_FOR = 3_600
_ANY = "any-slug-at-all"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'

# What only its reader may see, and what is of no use to anybody who searches.
CLOSED = (
    *("/admin/", "/api/", "/confirm/", "/drafts/", "/erased/", "/feedback/", "/goodbye/", "/keep/"),
    *("/kept/", "/mailbox/", "/new-address/", "/preferences/", "/stop/", "/undo/"),
    *("/unsubscribe/", "/webhooks/", "/welcome/", "/withdraw/", "/withdrawn/"),
)
_ALWAYS_THERE = (
    "archive:home",
    "archive:condition_list",
    "archive:issue_list",
    "archive:sample",
    "signup:sign_up",
    "signup:privacy",
)


@cache_control(public=True, max_age=_FRESH_FOR)
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    # The second line of each is the same page in another language: /es/confirm/…
    closed = "\n".join(f"Disallow: {path}\nDisallow: /*{path}" for path in CLOSED)
    return HttpResponse(
        f"User-agent: *\n{closed}\n\nSitemap: {settings.BASE_URL}/sitemap.xml\n",
        content_type="text/plain; charset=utf-8",
    )


@cache_control(public=True, max_age=_FRESH_FOR)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Name the parts, each of at most A_PART addresses."""
    parts = [("pages", 1)]
    for kind, (_view, rows) in _KINDS.items():
        parts += [(kind, number + 1) for number in range(-(-rows().count() // A_PART))]
    return _xml(
        "sitemapindex",
        (
            f"<sitemap><loc>{_absolute('archive:sitemap_part', *one)}</loc></sitemap>"
            for one in parts
        ),
    )


@cache_control(public=True, max_age=_FRESH_FOR)
@require_safe
def part(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """Return the addresses of one part."""
    if kind == "pages" and number == 1:
        return _xml("urlset", (_line(_absolute(view), None) for view in _ALWAYS_THERE))
    if kind not in _KINDS or number < 1:
        raise Http404
    view, rows = _KINDS[kind]
    found = list(rows()[(number - 1) * A_PART : number * A_PART])
    if not found:
        raise Http404
    # An address differs from the next in its slug only, and a slug needs no escaping.
    before, after = _absolute(view, _ANY).split(_ANY)
    return _xml("urlset", (_line(before + slug + after, changed) for slug, changed in found))


def _conditions() -> "QuerySet[Any, tuple[str, Any]]":
    return published.conditions().order_by("pk").values_list("slug", "reviewed_on")


def _articles() -> "QuerySet[Any, tuple[str, Any]]":
    changed = Coalesce("last_published_at", "first_published_at")
    # By number, so that a part keeps what it holds while new ones come.
    return published.articles().order_by("pk").values_list("slug", changed)


def _issues() -> "QuerySet[Any, tuple[str, Any]]":
    changed = Coalesce("corrected_at", "sent_at")
    return published.issues().order_by("pk").values_list("slug", changed)


_KINDS: dict[str, tuple[str, Callable[[], "QuerySet[Any, tuple[str, Any]]"]]] = {
    "conditions": ("archive:condition", _conditions),
    "articles": ("archive:article", _articles),
    "issues": ("archive:issue", _issues),
}


def _line(address: str, changed: Any) -> str:
    day = changed.date() if isinstance(changed, datetime) else changed
    when = f"<lastmod>{day.isoformat()}</lastmod>" if day else ""
    return f"<url><loc>{escape(address)}</loc>{when}</url>"


def _absolute(view: str, *args: object) -> str:
    return str(settings.BASE_URL) + reverse(view, args=args)


def _xml(name: str, lines: Iterable[str]) -> HttpResponse:
    document = "\n".join([_HEAD, f"<{name} {_NAMESPACE}>", *lines, f"</{name}>"])
    return HttpResponse(document, content_type="application/xml; charset=utf-8")
