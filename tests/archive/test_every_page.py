"""What holds for every public page: valid, self-contained, no cookie; looking changes nothing."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import html5lib
import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.views.defaults import server_error
from html5lib import html5parser

from newsletter.editions.models import Article, Issue

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("site")]

PAGES = [
    "/",
    "/conditions/",
    "/conditions/?q=disk",
    "/conditions/?q=zzz",
    "/conditions/herniated-disk/",
    "ARTICLE",
    "/issues/",
    "ISSUE",
    "/sample/",
    "/sample/?newsletter=my-conditions",
    "/nowhere/",
]
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "ALTER", "DROP")


@pytest.fixture(params=PAGES)
def path(request: pytest.FixtureRequest) -> str:
    if request.param == "ARTICLE":
        return f"/articles/{Article.objects.latest('pk').slug}/"
    if request.param == "ISSUE":
        return f"/issues/{Issue.objects.latest('pk').slug}/"
    return str(request.param)


def page(visitor: Client, path: str) -> str:
    response = visitor.get(path)
    assert response.status_code == (404 if path == "/nowhere/" else 200)
    return response.content.decode()


def test_it_is_valid_html(visitor: Client, path: str) -> None:
    parser = html5parser.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"))
    parser.parse(page(visitor, path))


def test_looking_changes_nothing(visitor: Client, path: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(visitor, path)
        visitor.head(path)
    written = [query["sql"] for query in queries if query["sql"].startswith(WRITES)]
    assert not written


def test_no_cookie_is_set(visitor: Client, path: str) -> None:
    response = visitor.get(path)
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")


def test_nobody_else_is_asked_for_anything(visitor: Client, path: str) -> None:
    for tag, attributes in tags(page(visitor, path)):
        for name in ("src", "srcset", "data", "poster", "action"):
            assert "//" not in attributes.get(name, ""), (tag, attributes)
        # What names this page, here and in other languages, is no request.
        if tag == "link" and not {"canonical", "hreflang"} & {attributes["rel"], *attributes}:
            assert attributes["href"].startswith("/"), attributes


def test_nothing_is_inline_that_the_content_policy_refuses(visitor: Client, path: str) -> None:
    for tag, attributes in tags(page(visitor, path)):
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "script":
            assert attributes.get("src") or attributes["type"] == "application/ld+json"


def test_it_has_one_title_one_main_heading_and_headings_in_order(
    visitor: Client, path: str
) -> None:
    html = page(visitor, path)
    assert re.search(r"<title>[^<]+ · Lakeside Clinic</title>", html)
    levels = [int(tag[1]) for tag, _ in tags(html) if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_language_direction_and_a_way_past_the_navigation(visitor: Client, path: str) -> None:
    html = page(visitor, path)
    assert '<html lang="en" dir="ltr">' in html
    first_link = next(attributes for tag, attributes in tags(html) if tag == "a")
    assert first_link["href"] == "#main"
    assert 'id="main"' in html


def test_every_image_says_what_it_shows_or_that_it_is_decoration(
    visitor: Client, path: str
) -> None:
    for tag, attributes in tags(page(visitor, path)):
        if tag == "img":
            assert "alt" in attributes
        if tag == "iframe":
            assert attributes["title"]


def test_every_link_within_the_page_leads_somewhere(visitor: Client, path: str) -> None:
    found = tags(page(visitor, path))
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in found:
        href = attributes.get("href", "")
        if href.startswith("#"):
            assert href[1:] in ids
        for name in ("for", "aria-labelledby", "aria-describedby"):
            assert set(attributes.get(name, "").split()) <= set(ids)


def test_the_publisher_and_the_emergency_number_stand_on_it(visitor: Client, path: str) -> None:
    html = page(visitor, path)
    assert "Lakeside Clinic" in html
    assert "Quay 1" in html
    assert re.search(r"In an emergency call <strong[^>]*>116</strong>", html)


def test_a_post_is_refused(visitor: Client, path: str) -> None:
    assert visitor.post(path).status_code in (404, 405)


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "429", "500"])
def test_error_pages_are_valid_and_need_no_database(code: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        html = render_to_string(f"{code}.html")
    assert not queries.captured_queries
    html5parser.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree")).parse(html)
    assert "<h1>" in html


def test_the_page_for_our_own_mistakes_says_what_to_do_next() -> None:
    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "try again in a couple of minutes" in response.content.decode()


def tags(html: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, {name: value or "" for name, value in attrs}))

    Reader().feed(html)
    return found
