"""Bytes in, entries out: RSS and Atom by feedparser, which never gets an address to go to.

What is cut off is refused whole: half a sentence about a dose is worse than none. What is merely
untidy is read, and staff are told.
"""

import calendar
import io
import re
import xml.sax
from collections.abc import Iterable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import feedparser
from django.utils.translation import gettext as _

from newsletter.editions.feeds import json_feed, sanitise
from newsletter.editions.feeds.entry import Entry, Reading, Unreadable, believable
from newsletter.editions.models import Feed

Trouble = Feed.Trouble

# The newest so many are looked at; a feed that holds its whole archive says nothing new by it.
MOST_ENTRIES = 200
_BEGIN = 4_096
_MARKUP_PAGE = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:\w+:)?(rss|feed|rdf)\b", re.IGNORECASE)
_END = re.compile(rb"</(?:\w+:)?(rss|feed|rdf)\s*>", re.IGNORECASE)
_OWN_ENTITIES = re.compile(rb"<!\s*entity", re.IGNORECASE)


def read(body: bytes, *, url: str, content_type: str = "", now: datetime) -> Reading:
    """Return what stands in the feed that came from `url`, newest first. Raises Unreadable."""
    # Without the bytes that UTF-16 puts between letters: only to look for words in.
    plain = body.replace(b"\0", b"")
    if not plain.strip():
        raise Unreadable(Trouble.NOT_A_FEED, _("The answer is empty."))
    if plain.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _newest(json_feed.read(body, url=url, now=now), ())
    if not _ROOT.search(plain[:_BEGIN]):
        raise Unreadable(Trouble.NOT_A_FEED, _not_a_feed(plain, url))
    if _OWN_ENTITIES.search(plain):
        # Entities of entities grow without end, or name files.
        raise Unreadable(Trouble.BROKEN, _("It declares entities of its own, which no feed needs."))
    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": content_type, "content-location": url},
        resolve_relative_uris=True,
        sanitize_html=False,  # we do it ourselves, by an allowlist
    )
    oddities = _oddities(parsed, plain)
    entries = [_entry(each, url, now) for each in parsed.entries]
    return _newest([entry for entry in entries if entry is not None], oddities)


def date_of(parsed: Any, now: datetime) -> datetime | None:
    """Return a moment that can be true; None for nonsense: no year 0, nothing that is to come."""
    try:
        moment = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return believable(moment, now)


def _newest(entries: list[Entry], oddities: Iterable[str]) -> Reading:
    # In the feed's own order where the dates say nothing; sorting is stable.
    oldest = datetime.min.replace(tzinfo=UTC)
    dated = any(entry.published for entry in entries)
    if dated:
        entries = sorted(entries, key=lambda entry: entry.published or oldest, reverse=True)
    return Reading(entries[:MOST_ENTRIES], tuple(oddities))


def _oddities(parsed: Any, plain: bytes) -> list[str]:
    trouble = parsed.get("bozo_exception") if parsed.get("bozo") else None
    if not isinstance(trouble, xml.sax.SAXParseException):
        return []
    if not _END.search(plain[-2_000:]):
        raise Unreadable(
            Trouble.BROKEN,
            _("It ends in the middle, at line %(line)s. Nothing of it was taken.")
            % {"line": trouble.getLineNumber() or "?"},
        )
    if not parsed.entries:
        raise Unreadable(
            Trouble.BROKEN,
            _("It is not well-formed at line %(line)s, and nothing in it can be read.")
            % {"line": trouble.getLineNumber() or "?"},
        )
    return [
        _("It is not well-formed at line %(line)s; it was read all the same. Look at its drafts.")
        % {"line": trouble.getLineNumber() or "?"}
    ]


def _entry(each: Any, base: str, now: datetime) -> Entry | None:
    """Return one entry; None for one that says nothing."""
    url = sanitise.web_address(str(each.get("link") or ""), base)
    contents = [str(one.get("value") or "") for one in each.get("content") or []]
    summary = str(each.get("summary") or "")
    text = max([*contents, summary], key=len)
    title = sanitise.line(str(each.get("title") or ""), 160) or sanitise.line(text, 80)
    if not title:
        return None
    # Asked for by `in` first: feedparser otherwise guesses one from another, and warns of it.
    dates = [
        date_of(each[name], now)
        for name in ("published_parsed", "updated_parsed", "created_parsed")
        if name in each.keys()  # noqa: SIM118 - its own `in` guesses too
    ]
    tags = [str(tag.get("term") or tag.get("label") or "") for tag in each.get("tags") or []]
    return Entry(
        guid=str(each.get("id") or "") or url or f"{title}\n{sanitise.line(text, 400)}",
        url=url,
        title=title,
        summary=sanitise.line(summary or text, 400),
        html=sanitise.safe_html(text, url or base),
        author=sanitise.line(str(each.get("author") or ""), 120),
        categories=[line for tag in tags[:40] if (line := sanitise.line(tag, 100))],
        published=next((date for date in dates if date), None),
    )


def _not_a_feed(plain: bytes, url: str) -> str:
    if not _MARKUP_PAGE.search(plain[:_BEGIN]):
        return _("The answer is neither RSS, Atom nor JSON Feed.")
    finder = _FeedLinks()
    finder.feed(plain[:200_000].decode("utf-8", "replace"))
    named = [found for href in finder.found if (found := sanitise.web_address(href, url))]
    if not named:
        return _("That is a web page, not a feed.")
    return _("That is a web page, not a feed. It names this feed: %(url)s") % {"url": named[0]}


class _FeedLinks(HTMLParser):
    """The feeds that a web page offers in its head."""

    _TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if (
            tag == "link"
            and "alternate" in (known.get("rel") or "").lower().split()
            and (known.get("type") or "").lower() in self._TYPES
            and known.get("href")
        ):
            self.found.append(str(known["href"]))
