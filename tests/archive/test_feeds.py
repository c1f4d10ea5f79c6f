"""Feeds: for readers who would rather not leave an address."""

from xml.etree import ElementTree

import pytest
from django.test import Client
from pytest_django import Settings

from tests.archive import published

pytestmark = [pytest.mark.once, pytest.mark.django_db]
ATOM = "{http://www.w3.org/2005/Atom}"


def entries(visitor: Client, path: str) -> list[dict[str, str]]:
    response = visitor.get(path)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(response.content)
    return [
        {
            "title": entry.findtext(f"{ATOM}title") or "",
            "summary": entry.findtext(f"{ATOM}summary") or "",
            "updated": entry.findtext(f"{ATOM}updated") or "",
            "author": entry.findtext(f"{ATOM}author/{ATOM}name") or "",
            "link": entry.find(f"{ATOM}link").attrib["href"],  # type: ignore[union-attr]
        }
        for entry in feed.iter(f"{ATOM}entry")
    ]


def test_a_condition_feed_holds_its_live_articles(visitor: Client, settings: Settings) -> None:
    settings.BASE_URL = "https://health.example"
    disk = published.condition()
    article = published.article("Walking & <b>talking</b>", disk)
    published.article("Draft", disk, live=False)
    published.article("About something else", published.condition("Knee"))
    (entry,) = entries(visitor, "/feeds/conditions/herniated-disk/")
    assert entry["title"] == "Walking & <b>talking</b>"
    assert entry["link"] == f"https://health.example/articles/{article.slug}/"
    assert entry["author"] == "Ruth Meyer"
    assert entry["updated"].startswith("2026-11-16")


def test_an_editorial_feed_holds_the_issues_that_were_sent(visitor: Client) -> None:
    issue = published.sent_issue("Sleep and the back")
    published.draft_issue("Draft")
    (entry,) = entries(visitor, "/feeds/living-well/")
    assert entry["title"] == "Sleep and the back"
    assert entry["summary"] == "What a good mattress cannot do."
    assert entry["link"].endswith(f"/issues/{issue.slug}/")


def test_a_digest_feed_holds_the_newest_articles(visitor: Client) -> None:
    published.newsletter("My conditions", kind="digest")
    published.article("One", published.condition())
    (entry,) = entries(visitor, "/feeds/my-conditions/")
    assert entry["title"] == "One"


@pytest.mark.parametrize("path", ["/feeds/no-such/", "/feeds/conditions/no-such/"])
def test_unknown_feeds_are_not_found(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_a_feed_sets_no_cookie_and_takes_no_post(visitor: Client) -> None:
    published.condition()
    response = visitor.get("/feeds/conditions/herniated-disk/")
    assert not response.cookies
    assert "max-age" in response["Cache-Control"]
    assert visitor.post("/feeds/conditions/herniated-disk/").status_code == 405


def test_pages_name_their_feeds(visitor: Client) -> None:
    published.condition()
    html = visitor.get("/conditions/herniated-disk/").content.decode()
    assert 'type="application/atom+xml"' in html
    assert 'href="/feeds/conditions/herniated-disk/"' in html
