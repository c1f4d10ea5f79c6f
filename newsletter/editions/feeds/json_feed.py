"""JSON Feed, versions 1 and 1.1 (jsonfeed.org)."""

import html
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from newsletter.editions.feeds import sanitise
from newsletter.editions.feeds.entry import Entry, Unreadable, believable
from newsletter.editions.models import Feed


def read(body: bytes, *, url: str, now: datetime) -> list[Entry]:
    """Return the entries in the feed's order. Raises Unreadable."""
    try:
        document = json.loads(body)
    except UnicodeDecodeError as error:
        raise Unreadable(Feed.Trouble.BROKEN, _("Its letters are not UTF-8.")) from error
    except json.JSONDecodeError as error:
        raise Unreadable(
            Feed.Trouble.BROKEN,
            _("It breaks off or is not well-formed at line %(line)s. Nothing of it was taken.")
            % {"line": error.lineno},
        ) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable(Feed.Trouble.BROKEN, _("It cannot be read as JSON.")) from error
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise Unreadable(Feed.Trouble.NOT_A_FEED, _("That is JSON, but no JSON Feed."))
    found = [_entry(item, url, now) for item in document["items"] if isinstance(item, dict)]
    return [entry for entry in found if entry is not None]


def _entry(item: Mapping[str, Any], base: str, now: datetime) -> Entry | None:
    url = sanitise.web_address(_text(item, "url") or _text(item, "external_url"), base)
    plain = _text(item, "content_text")
    text = _text(item, "content_html") or "".join(
        f"<p>{html.escape(part)}</p>" for part in plain.split("\n\n") if part.strip()
    )
    summary = _text(item, "summary")
    # Summary and title are plain text here: what looks like a tag is meant as letters.
    title = sanitise.line(html.escape(_text(item, "title")), 160) or sanitise.line(text, 80)
    if not title:
        return None
    authors = item.get("authors") or [item.get("author")]
    first = authors[0] if isinstance(authors, list) and authors else None
    tags = item.get("tags")
    return Entry(
        guid=_text(item, "id") or url or f"{title}\n{sanitise.line(text, 400)}",
        url=url,
        title=title,
        summary=sanitise.line(html.escape(summary) or text, 400),
        html=sanitise.safe_html(text or f"<p>{html.escape(summary)}</p>", url or base),
        author=sanitise.line(html.escape(_text(first, "name")), 120)
        if isinstance(first, dict)
        else "",
        categories=[
            sanitise.line(html.escape(tag), 100)
            for tag in (tags if isinstance(tags, list) else [])[:40]
            if isinstance(tag, str) and tag.strip()
        ],
        published=_date(_text(item, "date_published") or _text(item, "date_modified"), now),
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    # Some write numbers as ids.
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _date(written: str, now: datetime) -> datetime | None:
    try:
        moment = parse_datetime(written)
    except (ValueError, OverflowError):
        return None
    if moment is None:
        return None
    return believable(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now)
