"""Atom feeds for readers who would rather not leave an address."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.feedgenerator import Atom1Feed, rfc3339_date
from django.utils.formats import date_format
from django.utils.http import parse_http_date_safe
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from newsletter.archive import published
from newsletter.catalogue.models import Condition, Newsletter, Publisher
from newsletter.editions.models import Article, Issue

ENTRIES = 20
_FRESH_FOR = 600


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a feed, whatever it is made from."""

    title: str
    summary: str
    link: str
    author: str
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """What a feed held and was recalled."""

    link: str
    at: datetime


class _WithTombstones(Atom1Feed):
    """Atom that also says which entries are to be deleted (RFC 6721)."""

    def root_attributes(self) -> dict[str, str]:
        return {**super().root_attributes(), "xmlns:at": "http://purl.org/atompub/tombstones/1.0"}

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for gone in self.feed["gone"]:
            handler.addQuickElement(
                "at:deleted-entry", None, {"ref": gone.link, "when": rfc3339_date(gone.at)}
            )


class _ArchiveFeed(Feed[Entry, Any], ABC):
    """Addresses come from BASE_URL: a feed is read far from the host that was asked for it."""

    feed_type = _WithTombstones

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = super().__call__(request, *args, **kwargs)
        response["Cache-Control"] = f"public, max-age={_FRESH_FOR}"
        # Readers ask every hour: what has not changed is not sent again.
        set_response_etag(response)
        modified = parse_http_date_safe(response.get("Last-Modified", ""))
        return (
            get_conditional_response(
                request, etag=response["ETag"], last_modified=modified, response=response
            )
            or response
        )

    def feed_extra_kwargs(self, subject: Any) -> dict[str, Any]:
        return {"gone": self.gone(subject)}

    @abstractmethod
    def gone(self, subject: Any) -> list[Gone]:
        """What the feed held and was recalled, the newest first."""

    def title(self, subject: Any) -> str:
        return f"{subject.name} · {Publisher.current().name}"

    def item_title(self, item: Entry) -> SafeString:
        # Atom titles are plain text; the generator escapes them once, and only once.
        return mark_safe(item.title)  # noqa: S308

    def item_description(self, item: Entry) -> str:
        return item.summary

    def item_link(self, item: Entry) -> str:
        return item.link

    def item_guid(self, item: Entry) -> str:
        return item.link

    def item_author_name(self, item: Entry) -> str:
        return item.author

    def item_pubdate(self, item: Entry) -> datetime:
        return item.published

    def item_updateddate(self, item: Entry) -> datetime:
        return item.updated


class ConditionFeed(_ArchiveFeed):
    """The articles about one condition."""

    def get_object(self, request: HttpRequest, slug: str) -> Condition:
        return get_object_or_404(Condition.objects.open(), slug=slug)

    def subtitle(self, subject: Condition) -> str:
        return subject.summary

    def link(self, subject: Condition) -> str:
        return _absolute("archive:condition", subject.slug)

    def feed_url(self, subject: Condition) -> str:
        return _absolute("archive:condition_feed", subject.slug)

    def gone(self, subject: Condition) -> list[Gone]:
        return _gone_articles(published.recalled_articles().filter(conditions=subject))

    def items(self, subject: Condition) -> Iterable[Entry]:
        return _article_entries(published.articles_about(subject)[:ENTRIES])


class NewsletterFeed(_ArchiveFeed):
    """An editorial newsletter's issues; for a digest, every article that it draws on."""

    def get_object(self, request: HttpRequest, slug: str) -> Newsletter:
        return get_object_or_404(Newsletter, slug=slug)

    def subtitle(self, subject: Newsletter) -> str:
        return subject.promise

    def link(self, subject: Newsletter) -> str:
        return _absolute("archive:condition_list" if subject.is_digest else "archive:issue_list")

    def feed_url(self, subject: Newsletter) -> str:
        return _absolute("archive:newsletter_feed", subject.slug)

    def gone(self, subject: Newsletter) -> list[Gone]:
        if subject.is_digest:
            return _gone_articles(published.recalled_articles())
        recalled = published.recalled_issues().filter(newsletter=subject)[:ENTRIES]
        return [Gone(_absolute("archive:issue", one.slug), one.recall.at) for one in recalled]

    def items(self, subject: Newsletter) -> Iterable[Entry]:
        if subject.is_digest:
            return _article_entries(published.articles()[:ENTRIES])
        issues = published.issues().filter(newsletter=subject)[:ENTRIES]
        return [
            Entry(
                title=issue.shown_title,
                summary=_summary(issue),
                link=_absolute("archive:issue", issue.slug),
                author=subject.from_name,
                published=issue.sent_at,
                updated=issue.corrected_at or issue.sent_at,
            )
            for issue in issues
        ]


def _summary(issue: Issue) -> str:
    """Its preheader, behind the word of its correction."""
    if not issue.corrected_at:
        return str(issue.shown_preheader)
    with translation.override(issue.language):
        when = date_format(timezone.localtime(issue.corrected_at), _("j F Y"))
        said = _("Corrected on %(date)s.") % {"date": when}
    return f"{said} {issue.shown_preheader}"


def _gone_articles(articles: "QuerySet[Article]") -> list[Gone]:
    recalled = articles.annotate(recalled_at=Max("recalls__at")).order_by("-recalled_at")[:ENTRIES]
    return [Gone(_absolute("archive:article", one.slug), one.recalled_at) for one in recalled]


def _article_entries(articles: Iterable[Article]) -> list[Entry]:
    return [
        Entry(
            title=article.title,
            summary=article.summary,
            link=_absolute("archive:article", article.slug),
            author=article.author_name,
            published=article.first_published_at,
            updated=article.last_published_at or article.first_published_at,
        )
        for article in articles
        if article.first_published_at
    ]


def _absolute(view_name: str, *args: str) -> str:
    return settings.BASE_URL + reverse(view_name, args=args)
