"""One feed, from its address to its drafts. The row says when next; the network has no lock."""

import logging
import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db.models import DateTimeField, F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editions.feeds.entry import Unreadable
from newsletter.editions.feeds.read import read
from newsletter.editions.feeds.take import Taken, look_again, take
from newsletter.editions.models import Feed
from newsletter.web import fetch as web

log = logging.getLogger(__name__)

Trouble = Feed.Trouble

MOST_BYTES = 5_000_000
SECONDS = 30.0
# Longer than a fetch, its reading and its drafts may take together.
CLAIM = timedelta(minutes=10)
AT_ONCE = 50
# After a failure: this long, then twice that, up to a day (a week for what is gone).
FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(days=1)
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)


def due(now: datetime) -> list[int]:
    """Return the numbers of feeds to fetch now, the longest waiting first."""
    found = Feed.objects.due(now).order_by("next_fetch_at").values_list("pk", flat=True)
    return list(found[:AT_ONCE])


def ask_for(feed: Feed) -> None:
    """Let it be fetched at the next look, whatever its back-off says."""
    Feed.objects.filter(pk=feed.pk).update(next_fetch_at=timezone.now())


def fetch(feed_id: int, *, way: web.Way | None = None) -> Taken | None:
    """Fetch one feed and make drafts of what is new in it; None when nothing was to be done.

    Harmless twice and from two workers: one claim wins. What goes wrong stands in the row.
    """
    feed = _claim(feed_id)
    if feed is None:
        return None
    _put_off(feed)
    try:
        answer = web.get(
            feed.url, headers=_headers(feed), most_bytes=MOST_BYTES, seconds=SECONDS, way=way
        )
        return _use(feed, answer)
    except web.Forbidden as error:
        _failed(feed, Trouble.FORBIDDEN, str(error))
    except web.TooLarge as error:
        _failed(feed, Trouble.TOO_LARGE, str(error))
    except web.Silent as error:
        _failed(feed, Trouble.UNREACHABLE, str(error))
    except Unreadable as error:
        _failed(feed, Trouble(error.trouble), str(error))
    return Taken()


def _claim(feed_id: int) -> Feed | None:
    """Take the feed. It counts as failed until it went well, so that one at which workers die is
    put off and told of like any other."""
    now = timezone.now()
    mine = Feed.objects.due(now).filter(pk=feed_id)
    won = mine.update(
        claimed_until=now + CLAIM,
        epoch=F("epoch") + 1,
        tried_at=now,
        failures=F("failures") + 1,
        failing_since=Coalesce(F("failing_since"), now, output_field=DateTimeField()),
    )
    return Feed.objects.get(pk=feed_id) if won else None


def _put_off(feed: Feed) -> None:
    later = timezone.now() + wait_after(feed.failures, feed.every)
    Feed.objects.filter(pk=feed.pk, epoch=feed.epoch).update(next_fetch_at=later)


def _headers(feed: Feed) -> dict[str, str]:
    headers = {
        "User-Agent": "Wellread feed reader",
        "Accept": _ACCEPT,
        "Accept-Encoding": "gzip",
    }
    if feed.fetched_url == feed.url:
        # An answer of another address says nothing about this one.
        if feed.etag:
            headers["If-None-Match"] = feed.etag
        if feed.last_modified:
            headers["If-Modified-Since"] = feed.last_modified
    return headers


def _use(feed: Feed, answer: web.Answer) -> Taken:
    now = timezone.now()
    if answer.status == 304:
        taken = Taken(look_again(feed))
        _went_well(feed, now, taken, detail=feed.detail)
        return taken
    if answer.status == 410:
        _failed(feed, Trouble.GONE, _("Its server says that it has been taken away for good."))
        return Taken()
    if answer.status != 200:
        _failed(
            feed,
            Trouble.REFUSED,
            _("Its server answered with error %(status)d.") % {"status": answer.status},
            not_before=_retry_after(answer.headers.get("retry-after", ""), now),
        )
        return Taken()
    reading = read(
        answer.body,
        url=answer.url,
        content_type=answer.headers.get("content-type", ""),
        now=now,
    )
    taken = take(feed, reading.entries)
    detail = " ".join(reading.oddities)
    if not reading.entries:
        detail = _("It is a feed, but there is nothing in it.")
    # Only now: what could not be read must come once more.
    feed.fetched_url = feed.url
    feed.etag = _header(answer, "etag", 400)
    feed.last_modified = _header(answer, "last-modified", 100)
    feed.moved_to = answer.moved_to if answer.moved_to != feed.url else ""
    _went_well(feed, now, taken, detail=detail)
    return taken


def _header(answer: web.Answer, name: str, longest: int) -> str:
    value = answer.headers.get(name, "")
    # A cut one would never match; one with a line end or another alphabet is nothing to send back.
    return value if len(value) <= longest and value.isprintable() and value.isascii() else ""


def _went_well(feed: Feed, now: datetime, taken: Taken, *, detail: str) -> None:
    Feed.objects.filter(pk=feed.pk, epoch=feed.epoch).update(
        claimed_until=None,
        next_fetch_at=now + _spread(feed.every),
        fetched_at=now,
        brought_at=now if taken.drafted else feed.brought_at,
        failures=0,
        failing_since=None,
        told_at=None,
        trouble="",
        detail=detail[:400],
        fetched_url=feed.fetched_url,
        etag=feed.etag,
        last_modified=feed.last_modified,
        moved_to=feed.moved_to,
    )


def _failed(
    feed: Feed, trouble: Feed.Trouble, detail: str, *, not_before: datetime | None = None
) -> None:
    now = timezone.now()
    log.warning("Feed %s was not fetched: %s", feed.pk, trouble.value)
    wait = wait_after(feed.failures, feed.every)
    if trouble == Trouble.GONE:
        wait = timedelta(days=7)
    after = max(now + _spread(wait), not_before or now)
    Feed.objects.filter(pk=feed.pk, epoch=feed.epoch).update(
        claimed_until=None,
        next_fetch_at=after,
        trouble=trouble,
        detail=detail[:400],
    )


def wait_after(failures: int, every: timedelta) -> timedelta:
    """How long to leave a feed alone after so many failures in a row."""
    doublings = max(0, min(failures - 1, 20))
    return min(FIRST_WAIT * (1 << doublings), max(LONGEST_WAIT, every))


def _spread(wait: timedelta) -> timedelta:
    """A tenth more or less, so that feeds added in one hour do not come in one minute for ever."""
    return wait * random.uniform(0.9, 1.1)  # noqa: S311 - nobody gains by guessing it


def _retry_after(value: str, now: datetime) -> datetime | None:
    """RFC 9110, 10.2.3: seconds or a date. No server puts us off for more than two days."""
    try:
        if value.strip().isdigit():
            asked = now + timedelta(seconds=min(int(value), 10**6))
        else:
            asked = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if asked.tzinfo is None:
        return None
    return min(asked, now + timedelta(days=2))
