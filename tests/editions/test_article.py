"""An article's guards, and what its form says."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError

from newsletter.editions.models import Article

pytestmark = pytest.mark.django_db
TODAY = "2026-11-22T12:00:00Z"


def article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "title": "Walking helps",
        "summary": "It does.",
        "author_name": "Ines Okafor",
        "author_credentials": "Physiotherapist",
        "reviewer_name": "Paul Lindqvist",
        "reviewed_on": date(2026, 11, 3),
    }
    return Article(**{**values, **changes})


@time_machine.travel(TODAY)
@pytest.mark.parametrize(
    ("changes", "reviewed"),
    [
        ({}, True),
        ({"review_due": date(2026, 11, 22)}, True),
        ({"review_due": date(2026, 11, 21)}, False),
        ({"reviewer_name": " "}, False),
        ({"reviewed_on": None}, False),
        ({"reviewed_on": date(2026, 11, 23)}, False),
    ],
)
def test_reviewed_means_by_a_named_person_and_still_in_force(
    changes: dict[str, Any], reviewed: bool
) -> None:
    assert article(**changes).is_reviewed is reviewed


@time_machine.travel(TODAY)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reviewed_on": date(2026, 11, 23)}, "reviewed_on"),
        ({"reviewer_name": ""}, "reviewer_name"),
        ({"review_due": date(2026, 11, 3)}, "review_due"),
    ],
)
def test_dates_that_cannot_be_are_refused_at_their_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        article(**changes).clean()
    assert set(caught.value.error_dict) == {field}


def test_an_empty_slug_is_made_from_the_title_and_never_taken_twice() -> None:
    for expected in ("walking-helps", "walking-helps-2", "walking-helps-3"):
        one = article()
        one.clean()
        one.save()
        assert one.slug == expected


def test_a_title_without_a_latin_letter_still_gives_a_slug() -> None:
    one = article(title="صحتك")
    one.clean()
    assert one.slug == "article"


def test_a_slug_that_was_chosen_stays() -> None:
    one = article(slug="chosen")
    one.clean()
    assert one.slug == "chosen"


def test_sources_come_line_by_line() -> None:
    assert article(sources=" A \n\nB\r\n").source_list == ["A", "B"]
