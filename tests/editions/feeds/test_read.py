"""Whatever format it comes in, and however badly it is written."""

from datetime import UTC, datetime

import pytest

from newsletter.editions.feeds.entry import Unreadable, canonical
from newsletter.editions.feeds.read import MOST_ENTRIES, read
from newsletter.editions.models import Feed
from tests.editions.feeds import world

pytestmark = pytest.mark.once
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Trouble = Feed.Trouble


def reading(body: bytes, **more):
    return read(body, url="https://clinic.example/feed", now=NOW, **more)


def refused(body: bytes, **more) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        reading(body, **more)
    return caught.value


def test_rss_is_read():
    (entry,) = reading(world.rss(world.item(category="Back"))).entries
    assert entry.title == "Walking helps, part 1"
    assert entry.url == "https://clinic.example/1"
    assert entry.html.startswith("<p>Number 1")
    assert entry.categories == ["Back"]
    assert entry.published == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_atom_is_read_with_its_links_made_whole():
    (entry,) = reading(world.ATOM).entries
    assert entry.title == "Knees & stairs"
    assert entry.url == "https://clinic.example/knees?utm_source=feed"
    assert 'href="https://clinic.example/rail"' in entry.html
    assert (entry.author, entry.summary) == ("Dr Ada Lund", "Climb slowly.")


def test_json_feed_is_read_and_what_says_nothing_is_left_out():
    seven, eight = reading(world.JSON).entries
    assert seven.title == "Sit < 30 minutes"
    assert seven.published == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert (seven.author, seven.categories) == ("Dr Ada Lund", ["Back"])
    assert eight.html == "<p>Just words.</p><p>And more &lt;words&gt;.</p>"
    assert eight.published is None


def test_the_newest_stands_first_and_a_whole_archive_is_not_read():
    items = [world.item(n, date=f"Fri, {1 + n % 20:02d} Oct 2026 08:00:00 GMT") for n in range(250)]
    entries = reading(world.rss(*items)).entries
    assert len(entries) == MOST_ENTRIES
    dates = [entry.published for entry in entries]
    assert dates == sorted(dates, reverse=True)


def test_what_is_cut_off_is_refused_whole():
    whole = world.rss(world.item(1), world.item(2))
    for length in range(len(whole) // 3, len(whole) - 10, 37):
        refusal = refused(whole[:length])
        assert refusal.trouble in (Trouble.BROKEN, Trouble.NOT_A_FEED)
    assert "Nothing of it was taken" in str(refused(whole[:-60]))
    assert refused(world.JSON[:-40]).trouble == Trouble.BROKEN


def test_what_is_merely_untidy_is_read_and_told():
    found = reading(world.rss(world.item(1, title="Hips & knees")))
    assert [entry.title for entry in found.entries] == ["Hips & knees"]
    assert "not well-formed" in found.oddities[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_charset_is_believed_where_it_is_said(encoding):
    text = world.rss(world.item(1, title="Rücken und Knie")).decode()
    body = text.replace('encoding="utf-8"', f'encoding="{encoding}"').encode(encoding)
    (entry,) = reading(body).entries
    assert entry.title == "Rücken und Knie"


def test_a_wrong_charset_loses_nothing():
    body = world.rss(world.item(1, title="Rücken und Knie")).decode().encode("iso-8859-1")
    (entry,) = reading(body, content_type="text/xml; charset=utf-8").entries
    assert entry.title == "Rücken und Knie"


def test_entities_that_grow_without_end_are_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
    refusal = refused(bomb + b"<rss><channel><item><title>&b;</title></item></channel></rss>")
    assert refusal.trouble == Trouble.BROKEN
    assert "entities" in str(refusal)


def test_an_entity_that_names_a_file_is_refused_in_any_encoding():
    secret = (
        '<?xml version="1.0" encoding="utf-16"?>'
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        "<rss><channel><item><title>&x;</title></item></channel></rss>"
    )
    assert refused(secret.encode("utf-16")).trouble == Trouble.BROKEN


@pytest.mark.parametrize(
    "date",
    ["yesterday", "Fri, 99 Nov 2026 99:00:00 GMT", "0000-00-00", "Fri, 20 Nov 2099 08:00:00 GMT"],
)
def test_a_date_that_cannot_be_true_is_no_date(date):
    (entry,) = reading(world.rss(world.item(date=date))).entries
    assert entry.published is None


def test_a_web_page_is_no_feed_and_the_feed_that_it_names_is_told():
    page = (
        b'<!doctype html><html><head><link rel="alternate" type="application/atom+xml" '
        b'href="/news.atom"></head><body>Hello</body></html>'
    )
    refusal = refused(page)
    assert refusal.trouble == Trouble.NOT_A_FEED
    assert str(refusal).endswith("https://clinic.example/news.atom")
    assert "web page" in str(refused(b"<html><body>Hello</body></html>"))


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"PK\x03\x04 a zip", b'{"a": 1}', b"[1, 2]", b"[" * 100_000, b"\xff" * 99]
)
def test_anything_else_is_no_feed(body):
    assert refused(body).trouble in (Trouble.NOT_A_FEED, Trouble.BROKEN)


def test_a_feed_with_nothing_in_it_is_a_feed():
    assert reading(world.rss()).entries == []


def test_other_peoples_html_is_cleaned():
    evil = (
        "&lt;p onclick='x()'&gt;Text&lt;script&gt;alert(1)&lt;/script&gt;"
        "&lt;img src='https://tracker.example/1.gif'&gt;&lt;iframe src='//x'&gt;in&lt;/iframe&gt;"
        "&lt;a href='javascript:alert(1)'&gt;one&lt;/a&gt; &lt;a href='/two'&gt;two&lt;/a&gt;"
        "&lt;svg&gt;&lt;a href='x'/&gt;&lt;/svg&gt;&lt;/p&gt;"
    )
    (entry,) = reading(world.rss(world.item(text=evil))).entries
    assert entry.html == ('<p>Text<a>one</a> <a href="https://clinic.example/two">two</a></p>')
    assert "<" not in entry.summary


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x?utm_source=feed", "http://www.a.example/x/"),
        ("https://A.example/x?b=2&a=1", "https://a.example/x?a=1&b=2#top"),
        ("https://a.example/x?gclid=1&id=3", "https://a.example/x?id=3"),
    ],
)
def test_one_page_has_one_address(one, other):
    assert canonical(one) == canonical(other)


def test_other_pages_have_other_addresses():
    assert canonical("https://a.example/x?id=3") != canonical("https://a.example/x?id=4")
    assert canonical("https://a.example/x") != canonical("https://a.example/X")
