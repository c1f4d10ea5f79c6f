"""Entries become drafts: each once, whichever feed brings it, and none of them ever live."""

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition
from newsletter.editions.feeds import rules as ruling
from newsletter.editions.feeds.entry import Entry
from newsletter.editions.feeds.sanitise import as_blocks
from newsletter.editions.models import Article, Feed, FeedItem, FeedRule
from newsletter.editions.models.naming import slug_for

State = FeedItem.State

# When a feed is added, only its newest become drafts: nobody reads two hundred at once.
FIRST_TIME = 20


@dataclass(frozen=True, slots=True)
class Taken:
    drafted: int = 0
    changed: int = 0


def take(feed: Feed, entries: Sequence[Entry]) -> Taken:
    """Note each entry and draft what is new. Harmless twice; a fault leaves no half of it."""
    now = timezone.now()
    rules = list(feed.rules.all())
    known = {bytes(item.guid_hash): item for item in feed.items.all().defer("content")}
    first_time = not known
    drafted = changed = 0
    # Some feeds give every entry the address of one page: then it tells nothing.
    addresses = Counter(entry.url_hash for entry in entries)
    # Oldest first, so that the newest draft is the one on top of the list.
    for place, entry in reversed(list(enumerate(entries))):
        item = known.get(entry.guid_hash)
        if item is not None:
            changed += _note_change(item, entry, now)
            continue
        with transaction.atomic():
            too_old = first_time and place >= FIRST_TIME
            url_hash = entry.url_hash if addresses[entry.url_hash] == 1 else None
            item = _new_item(feed, entry, url_hash, too_old=too_old)
            known[entry.guid_hash] = item
            if item.state == State.UNMATCHED:
                drafted += _draft_if_it_fits(feed, item, entry, rules)
    drafted += look_again(feed)
    return Taken(drafted, changed)


def look_again(feed: Feed) -> int:
    """Draft what was left lying and fits the rules of today. Returns how many.

    So a rule that is written later finds what came before it, without asking the feed again.
    """
    rules = list(feed.rules.all())
    drafted = 0
    for item in feed.items.filter(state=State.UNMATCHED, article=None).order_by("pk"):
        with transaction.atomic():
            drafted += _draft_if_it_fits(feed, item, entry_of(item), rules)
    return drafted


def draft(item: FeedItem) -> Article:
    """Make a draft of an item that was not drafted, whatever the rules say: somebody asked."""
    entry = entry_of(item)
    with transaction.atomic():
        found = ruling.conditions_of(entry, item.feed, item.feed.rules.all())
        if item.state == State.DOUBLE:
            # Somebody says that it is none: its address no longer stands for one page.
            item.url_hash = None
        return _draft(item.feed, item, entry, found)


def entry_of(item: FeedItem) -> Entry:
    """Return what was kept of an item that is no draft."""
    kept = item.content
    return Entry(
        guid="",
        url=item.url,
        title=item.title,
        summary=kept.get("summary", ""),
        html=kept.get("html", ""),
        author=kept.get("author", ""),
        categories=kept.get("categories", []),
        published=item.published_at,
    )


def _note_change(item: FeedItem, entry: Entry, now: datetime) -> bool:
    """The draft is the author's by now: what its source changed is told, never written over it."""
    if bytes(item.content_hash) == entry.content_hash:
        return False
    item.content_hash = entry.content_hash
    item.changed_at = now
    changed = ["content_hash", "changed_at"]
    if item.state in (State.UNMATCHED, State.OLDER, State.SET_ASIDE):
        # Nobody has worked on it: it is simply the newer one.
        item.title, item.url, item.content = entry.title, entry.url, _content(entry)
        item.changed_at = None
        changed += ["title", "url", "content"]
    item.save(update_fields=changed)
    return item.changed_at is not None


def _new_item(feed: Feed, entry: Entry, url_hash: bytes | None, *, too_old: bool) -> FeedItem:
    item = FeedItem(
        feed=feed,
        guid_hash=entry.guid_hash,
        url_hash=url_hash,
        content_hash=entry.content_hash,
        state=State.OLDER if too_old else State.UNMATCHED,
        title=entry.title,
        url=entry.url,
        published_at=entry.published,
        content=_content(entry),
    )
    double = _double_of(entry, url_hash)
    if double is None:
        try:
            with transaction.atomic():
                item.save(force_insert=True)
            return item
        except IntegrityError:
            # Another worker has just taken the same page from another feed.
            item.pk = None
            double = _double_of(entry, url_hash)
    item.state = State.DOUBLE
    item.article = double.article if double else None
    item.save(force_insert=True)
    return item


def _double_of(entry: Entry, url_hash: bytes | None) -> FeedItem | None:
    """The same page, or the same words, from this feed or another."""
    others = FeedItem.objects.exclude(state=State.DOUBLE).defer("content")
    found = None
    if url_hash is not None:
        found = others.filter(url_hash=url_hash).order_by("pk").first()
    if found is None and entry.is_telling:
        found = others.filter(content_hash=entry.content_hash).order_by("pk").first()
    return found


def _draft_if_it_fits(feed: Feed, item: FeedItem, entry: Entry, rules: Sequence[FeedRule]) -> bool:
    found = ruling.conditions_of(entry, feed, rules)
    if not found and feed.only_matching:
        return False
    _draft(feed, item, entry, found)
    return True


def _draft(feed: Feed, item: FeedItem, entry: Entry, conditions: Sequence[int]) -> Article:
    article = Article(
        title=entry.title,
        kind=feed.kind,
        language=feed.language,
        summary=entry.summary or entry.title,
        body=_body(feed, entry),
        # Who wrote it there; whoever makes it ours puts themselves down.
        author_name=entry.author or feed.author_name,
        author_credentials=feed.author_credentials,
        sources=_source(feed, entry),
        # Never live: only a review puts it on the site, and only a release into digests.
        live=False,
        has_unpublished_changes=True,
    )
    article.slug = slug_for(article)
    article.conditions = list(Condition.objects.filter(pk__in=conditions))
    article.save()
    article.save_revision()
    item.article, item.state, item.content = article, State.DRAFTED, {}
    item.save(update_fields=["article", "state", "content", "url_hash"])
    return article


def _body(feed: Feed, entry: Entry) -> list[tuple[str, str]]:
    if feed.take == Feed.Take.TEXT and (blocks := as_blocks(entry.html)):
        return blocks
    text = f"<p>{html.escape(entry.summary or entry.title, quote=False)}</p>"
    if entry.url:
        link = _("Read it at %(name)s") % {"name": feed.name}
        text += f'<p><a href="{html.escape(entry.url)}">{html.escape(link)}</a></p>'
    return [("rich_text", text)]


def _source(feed: Feed, entry: Entry) -> str:
    return f"{feed.name}: {entry.title}. {entry.url}".rstrip()


def _content(entry: Entry) -> dict[str, object]:
    return {
        "summary": entry.summary,
        "html": entry.html,
        "author": entry.author,
        "categories": list(entry.categories),
    }
