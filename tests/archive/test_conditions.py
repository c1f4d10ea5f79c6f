"""Finding a condition, and reading about it."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from newsletter.archive import search
from newsletter.archive.views.conditions import ARTICLES_A_PAGE
from newsletter.catalogue.models import Condition
from tests.archive import published

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query",
    [
        "herniated disk",
        "HERNIATED",
        "disk herniated",
        "slipped disc",
        "hern",
        "prolapsed",
        "hernated",
        "herniáted",
        "joints back",
        "  disk \t",
        "disk, herniated!",
    ],
)
def test_a_condition_is_found_by_what_people_call_it(visitor: Client, query: str) -> None:
    published.condition()
    published.condition("Asthma", synonyms="wheezing", group="Lungs", summary="Tight airways.")
    html = visitor.get("/conditions/", {"q": query}).content.decode()
    assert "One condition for" in html
    assert "/conditions/herniated-disk/" in html
    assert "/conditions/asthma/" not in html


def test_a_match_in_the_name_comes_before_one_in_the_summary() -> None:
    published.condition("Back pain", synonyms="", summary="Pain.")
    published.condition(
        "Ankle sprain", synonyms="", summary="Hurts more than the back.", group="Leg"
    )
    found = search.find("back", Condition.objects.all())
    assert [condition.name for condition in found] == ["Back pain", "Ankle sprain"]


def test_when_nothing_is_found_everything_is_still_there(visitor: Client) -> None:
    published.condition()
    html = visitor.get("/conditions/", {"q": "qqqq"}).content.decode()
    assert "Nothing found for “qqqq”" in html
    assert "/conditions/herniated-disk/" in html


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "\x00",
        "a\x00b",
        "%",
        "'; DROP TABLE x --",
        "<script>alert(1)</script>",
        "🦴",
        "\u202e",
        "x" * 9000,
    ],
)
def test_whatever_is_searched_for_gets_a_page(visitor: Client, query: str) -> None:
    published.condition()
    response = visitor.get("/conditions/", {"q": query})
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()
    assert "x" * 101 not in response.content.decode()


def test_a_query_that_is_no_text_gets_a_page(visitor: Client) -> None:
    assert visitor.get("/conditions/?q=%ff%fe").status_code == 200
    assert visitor.get("/conditions/?q[]=1&q=").status_code == 200


def test_the_page_says_what_the_condition_is_and_when_to_get_help(visitor: Client) -> None:
    published.condition(overview="<p>What <b>it</b> is.</p>")
    html = visitor.get("/conditions/herniated-disk/").content.decode()
    for heading in ("Overview", "Symptoms", "Causes", "Risk factors", "Prevention"):
        assert f">{heading}</h2>" in html
    assert "<p>What <b>it</b> is.</p>" in html
    emergency = html.index('class="emergency ')
    assert html.index("Numb between the legs") > emergency
    assert emergency < html.index('id="overview"'), "emergency signs stand before the reading"
    assert "Medically reviewed by Dr Amina Okafor" in html
    assert "1 September 2026" in html


def test_the_sign_up_form_stands_on_the_page(visitor: Client) -> None:
    published.condition()
    published.newsletter("My conditions", kind="digest")
    html = visitor.get("/conditions/herniated-disk/").content.decode()
    assert 'id="sign-up"' in html
    assert 'name="email"' in html
    assert 'name="consent_mail"' in html
    assert 'name="consent_health"' in html


def test_rich_text_cannot_bring_a_script_or_a_style(visitor: Client) -> None:
    published.condition(
        overview='<p style="color:red" onclick="x()">A<script>alert(1)</script></p>'
        '<p><a href="javascript:x()">b</a></p>'
    )
    html = visitor.get("/conditions/herniated-disk/").content.decode()
    assert "alert(1)" not in html
    assert "javascript:" not in html
    assert "onclick" not in html
    assert "color:red" not in html


def test_it_lists_its_live_articles_and_no_others(visitor: Client) -> None:
    disk, knee = published.condition(), published.condition("Knee")
    published.article("About the disk", disk)
    published.article("About the knee", knee)
    published.article("A draft", disk, live=False)
    html = visitor.get("/conditions/herniated-disk/").content.decode()
    assert "About the disk" in html
    assert "About the knee" not in html
    assert "A draft" not in html


@pytest.mark.parametrize("path", ["/conditions/gout/", "/conditions/retired/", "/conditions/a b/"])
def test_an_unknown_or_retired_condition_is_not_found(visitor: Client, path: str) -> None:
    published.condition("Retired", retired_at=timezone.now())
    assert visitor.get(path).status_code == 404


def test_long_lists_come_in_pages_and_bad_page_numbers_lead_to_one(visitor: Client) -> None:
    disk = published.condition()
    for number in range(ARTICLES_A_PAGE + 1):
        published.article(
            f"Article number {number:02}",
            disk,
            first_published_at=datetime(2026, 1, 1 + number, tzinfo=UTC),
        )
    path = "/conditions/herniated-disk/"
    first = visitor.get(path).content.decode()
    assert "Article number 10" in first
    assert "Article number 00" not in first
    assert "?page=2#articles" in first
    for last in ("2", "99", "-1", "9" * 40):
        assert "Article number 00" in visitor.get(path, {"page": last}).content.decode()
    for odd in ("", "abc", "1.5", "\x00", "0x1"):
        assert "Article number 10" in visitor.get(path, {"page": odd}).content.decode()


def test_a_longer_list_asks_the_database_no_more_often(
    visitor: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        disk = published.condition(f"Condition {number}")
        published.article(f"Article {number}", disk)
    with django_assert_num_queries(3):  # the conditions, the publisher, the languages
        visitor.get("/conditions/")
    with django_assert_num_queries(3):
        visitor.get("/conditions/", {"q": "condition"})
    with django_assert_num_queries(6):  # conditions, newsletters, articles, issues, and those two
        visitor.get("/")


def test_a_condition_page_asks_for_few_things(
    visitor: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    disk = published.condition()
    for number in range(30):
        published.article(f"Article {number}", disk)
    with django_assert_max_num_queries(8):
        visitor.get("/conditions/herniated-disk/")
