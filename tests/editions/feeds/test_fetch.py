"""When a feed is fetched, and what its row says after everything that can go wrong."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.editions.feeds import fetch as fetching
from newsletter.editions.models import Article, Feed
from tests.editions.feeds import world
from tests.editions.feeds.world import item, rss
from tests.web.site import answer, way_to

pytestmark = pytest.mark.once

Trouble = Feed.Trouble


def test_only_what_is_due_is_fetched_and_switched_off_feeds_never(feed):
    now = timezone.now()
    later = world.feed(url="http://example.org/later", next_fetch_at=now + timedelta(hours=1))
    off = world.feed(url="http://example.org/off", enabled=False)
    assert fetching.due(timezone.now()) == [feed.pk]
    assert fetching.fetch(later.pk) is None
    assert fetching.fetch(off.pk) is None


def test_one_of_two_workers_fetches(feed, site, monkeypatch):
    site.pages["/feed"] = answer(rss(item()))
    way = way_to(site)
    inner = []

    def meanwhile(*args, **more):
        inner.append(fetching.fetch(feed.pk, way=way))
        return real(*args, **more)

    real = fetching.read
    monkeypatch.setattr(fetching, "read", meanwhile)
    assert fetching.fetch(feed.pk, way=way).drafted == 1
    assert inner == [None]
    assert len(site.asked) == 1


def test_a_fetch_that_went_well_says_when_next(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item()))
    fetch(feed)
    wait = feed.next_fetch_at - timezone.now()
    assert timedelta(hours=5) < wait < timedelta(hours=7)
    assert feed.fetched_at and feed.brought_at
    assert (feed.failures, feed.trouble, feed.detail) == (0, "", "")
    assert feed.claimed_until is None


def test_what_has_not_changed_is_not_sent_again(feed, site, fetch):
    site.pages["/feed"] = answer(
        rss(item()), ETag='"v1"', Last_Modified="Fri, 20 Nov 2026 08:00:00 GMT"
    )
    fetch(feed)
    site.pages["/feed"] = answer(status=304)
    assert fetch(feed).drafted == 0
    asked = site.asked[1][1]
    assert asked["If-None-Match"] == '"v1"'
    assert asked["If-Modified-Since"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert (feed.etag, feed.failures) == ('"v1"', 0)


def test_another_address_is_asked_without_the_marks_of_the_first(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item()), ETag='"v1"')
    fetch(feed)
    feed.url = "http://example.org/moved"
    feed.save()
    site.pages["/moved"] = answer(rss(item(2)))
    fetch(feed)
    assert "If-None-Match" not in site.asked[-1][1]


def test_what_could_not_be_read_comes_once_more(feed, site, fetch):
    site.pages["/feed"] = answer(rss(item())[:-40], ETag='"broken"')
    fetch(feed)
    assert feed.trouble == Trouble.BROKEN
    assert not Article.objects.exists()
    site.pages["/feed"] = answer(rss(item()), ETag='"whole"')
    assert fetch(feed).drafted == 1
    assert "If-None-Match" not in site.asked[-1][1]


@pytest.mark.parametrize(
    ("page", "trouble", "words"),
    [
        (answer(status=500), Trouble.REFUSED, "error 500"),
        (answer(status=404), Trouble.REFUSED, "error 404"),
        (answer(status=410), Trouble.GONE, "for good"),
        (answer(b"<html><body>Hello"), Trouble.NOT_A_FEED, "web page"),
        (answer(b"x" * 5_000_001), Trouble.TOO_LARGE, "larger than 5 MB"),
        (answer(status=302, Location="/feed"), Trouble.UNREACHABLE, "circles"),
        (answer(status=302, Location="http://inside.org/"), Trouble.FORBIDDEN, "inside"),
        (answer(b"<rss>", Content_Length="99"), Trouble.UNREACHABLE, "cut off"),
    ],
)
def test_every_failure_is_told_in_words_and_loses_nothing(feed, site, page, trouble, words):
    site.pages["/feed"] = answer(rss(item()))
    way = way_to(site, inside_org="10.0.0.7")
    fetching.fetch(feed.pk, way=way)
    fetching.ask_for(feed)
    site.pages["/feed"] = page
    fetching.fetch(feed.pk, way=way)
    feed.refresh_from_db()
    assert (feed.trouble, feed.failures) == (trouble, 1)
    assert words in feed.detail
    assert feed.next_fetch_at > timezone.now()
    assert Article.objects.count() == 1
    assert feed.items.count() == 1


def test_a_50_mb_feed_is_left_after_the_first_five(feed, site, fetch):
    def huge(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(50):
            handler.wfile.write(b" " * 1_000_000)

    site.pages["/feed"] = huge
    began = time.process_time()
    fetch(feed)
    assert feed.trouble == Trouble.TOO_LARGE
    assert time.process_time() - began < 2.0


def test_a_failing_feed_is_left_alone_longer_and_longer():
    six = timedelta(hours=6)
    waits = [fetching.wait_after(n, six) for n in range(1, 12)]
    assert waits[:3] == [timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)]
    assert waits == sorted(waits)
    assert max(waits) == timedelta(days=1)
    assert fetching.wait_after(10_000, timedelta(days=7)) == timedelta(days=7)


@pytest.mark.parametrize(
    ("value", "least"), [("7200", 7100), ("999999999", 172_000), ("nonsense", 0), ("-5", 0)]
)
def test_a_server_may_say_when_to_come_back(feed, site, fetch, value, least):
    site.pages["/feed"] = answer(status=503, Retry_After=value)
    fetch(feed)
    wait = (feed.next_fetch_at - timezone.now()).total_seconds()
    assert least <= wait <= 172_800


def test_a_worker_that_dies_leaves_a_feed_that_is_put_off_and_counted(feed, site, monkeypatch):
    monkeypatch.setattr(fetching, "read", lambda *_, **__: pytest.fail("killed"))
    site.pages["/feed"] = answer(rss(item()))
    with pytest.raises(pytest.fail.Exception):
        fetching.fetch(feed.pk, way=way_to(site))
    feed.refresh_from_db()
    assert feed.failures == 1
    assert feed.next_fetch_at > timezone.now() + timedelta(minutes=10)


def test_the_first_good_answer_ends_all_of_it(feed, site, fetch):
    site.pages["/feed"] = answer(status=500)
    for _ in range(3):
        fetch(feed)
    assert feed.failures == 3
    Feed.objects.update(told_at=timezone.now())
    site.pages["/feed"] = answer(rss(item()))
    fetch(feed)
    assert (feed.failures, feed.failing_since, feed.told_at, feed.trouble) == (0, None, None, "")


def test_a_feed_that_moved_for_good_says_where_to(feed, site, fetch):
    site.pages = {"/feed": answer(status=301, Location="/new"), "/new": answer(rss(item()))}
    fetch(feed)
    assert feed.moved_to == "http://example.org/new"


def test_a_feed_is_dead_after_days_and_not_after_a_night(feed):
    now = timezone.now()
    for failures, days, dead in [(3, 9, False), (9, 1, False), (4, 3, True)]:
        Feed.objects.update(
            failures=failures, failing_since=now - timedelta(days=days), trouble="unreachable"
        )
        feed.refresh_from_db()
        assert feed.is_dead is dead
        assert Feed.objects.dead().exists() is dead
    Feed.objects.update(failures=1, failing_since=now, trouble=Trouble.GONE)
    feed.refresh_from_db()
    assert feed.is_dead and Feed.objects.dead().exists()
    Feed.objects.update(enabled=False)
    feed.refresh_from_db()
    assert not feed.is_dead and not Feed.objects.dead().exists()


def test_no_feed_leads_into_our_own_network(feed, monkeypatch):
    """By the real way, without a server: nothing may be connected to."""
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("went there"))
    for address in ("http://127.0.0.1/feed", "http://169.254.169.254/", "http://[::1]/"):
        Feed.objects.update(url=address, claimed_until=None, next_fetch_at=timezone.now())
        fetching.fetch(feed.pk)
        feed.refresh_from_db()
        assert feed.trouble == Trouble.FORBIDDEN
