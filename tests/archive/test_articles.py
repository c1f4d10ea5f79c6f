"""An article on the web: who says so, who checked it, and since when."""

import json
import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.archive import published

pytestmark = pytest.mark.django_db


def html_of(visitor: Client, article: object) -> str:
    response = visitor.get(f"/articles/{article.slug}/")  # type: ignore[attr-defined]
    assert response.status_code == 200
    return response.content.decode()


def test_it_names_its_author_its_reviewer_its_dates_and_its_sources(visitor: Client) -> None:
    html = html_of(visitor, published.article("Walking helps", published.condition()))
    for words in (
        "Ruth Meyer, physiotherapist",
        "Dr Amina Okafor, neurologist",
        "1 September 2026",
        "16 November 2026",
        "September 2027",
        "<li>National guideline, 2024</li>",
        "A large study followed people who walked.",
    ):
        assert words in html


def test_every_block_has_its_place_on_the_web(visitor: Client) -> None:
    body = [
        ("heading", "For {first_name|you}"),
        ("rich_text", "<p>Plain <i>words</i>.</p>"),
        ("quote", {"text": "It got better.", "attribution": "Ada, 68"}),
        ("key_facts", {"title": "In short", "facts": ["Walk.", "Rest & wait."]}),
        ("callout", {"title": "Good to know", "text": "<p>Most heal.</p>"}),
        ("emergency", {"title": "Get help if", "signs": ["Numb legs"], "number": ""}),
    ]
    html = html_of(visitor, published.article("All blocks", body=body))
    for words in (
        "<h2>For you</h2>",
        "<p>Plain <i>words</i>.</p>",
        "It got better.",
        "Ada, 68",
        "<li>Rest &amp; wait.</li>",
        "<p>Most heal.</p>",
        "<li>Numb legs</li>",
        'href="tel:112"',
    ):
        assert words in html


def test_every_block_that_an_article_may_hold_has_a_template() -> None:
    from django.template.loader import get_template

    from newsletter.editions.blocks import ArticleBody

    for name in ArticleBody().child_blocks:
        get_template(f"archive/blocks/{name}.html")


@pytest.mark.parametrize("values", [{"live": False}, {"live": False, "expired": True}])
def test_what_is_not_published_is_not_found(visitor: Client, values: dict[str, bool]) -> None:
    article = published.article("Draft", **values)
    assert visitor.get(f"/articles/{article.slug}/").status_code == 404
    assert visitor.get("/articles/no-such/").status_code == 404


def test_search_engines_read_the_same_as_readers(visitor: Client) -> None:
    article = published.article("Back & </script><b>neck", published.condition())
    html = html_of(visitor, article)
    script = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert script is not None
    data = json.loads(script[1])
    assert data["@type"] == "MedicalWebPage"
    assert data["name"] == "Back & </script><b>neck"
    assert data["lastReviewed"] == "2026-09-01"
    assert data["reviewedBy"]["name"] == "Dr Amina Okafor"
    assert data["about"][0]["name"] == "Herniated disk"
    assert "<b>neck" not in html


def test_no_review_is_claimed_that_did_not_happen(visitor: Client) -> None:
    html = html_of(visitor, published.article("New", reviewer_name="", reviewed_on=None))
    assert "reviewed" not in html.lower()


def test_it_points_to_its_open_conditions_and_to_related_reading(visitor: Client) -> None:
    disk = published.condition()
    closed = published.condition("Closed", retired_at=timezone.now())
    article = published.article("One", disk, closed)
    published.article("Two", disk)
    published.article("Three, a draft", disk, live=False)
    html = html_of(visitor, article)
    assert "/conditions/herniated-disk/" in html
    assert "/conditions/closed/" not in html
    assert ">Two</a>" in html
    assert "Three, a draft" not in html


def test_it_asks_the_database_for_six_things(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    disk = published.condition()
    article = published.article("One", disk)
    for number in range(20):
        published.article(f"Article {number}", disk)
    with django_assert_num_queries(
        6
    ):  # the article, its recall, conditions, publisher, languages, what to read
        html_of(visitor, article)
