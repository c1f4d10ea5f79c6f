"""An issue's guards, and what its form says."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Issue

pytestmark = pytest.mark.django_db


def newsletter(kind: str = "editorial") -> Newsletter:
    return Newsletter.objects.create(
        name="Living well",
        slug=kind,
        kind=kind,
        promise="One mail a week.",
        from_name="Clinic",
        from_email="hello@news.example.org",
        list_id_label=kind,
    )


def issue(**changes: Any) -> Issue:
    values: dict[str, Any] = {
        "title": "Your back in winter",
        "subject": "Your back",
        "preheader": "Short walks.",
        "body": [("heading", "A part")],
    }
    return Issue(**{**values, **changes})


def test_a_whole_issue_is_valid_and_gets_a_slug() -> None:
    one = issue(newsletter=newsletter())
    one.full_clean()
    assert one.slug == "your-back-in-winter"
    assert one.greeting == "Hello {first_name|there},"


def test_an_issue_of_a_digest_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValidationError, match="release an article"):
        issue(newsletter=newsletter("digest")).clean()


@pytest.mark.parametrize("field", ["subject", "preheader", "greeting"])
def test_a_line_break_never_gets_into_a_line(field: str) -> None:
    one = issue(newsletter=newsletter(), **{field: "a\r\nBcc: all@example.org"})
    with pytest.raises(ValidationError) as caught:
        one.full_clean()
    assert field in caught.value.error_dict


def test_a_greeting_with_a_tag_we_do_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"We do not know \{vorname\}"):
        issue(newsletter=newsletter(), greeting="Hallo {vorname},").full_clean()


def test_a_greeting_may_be_left_out() -> None:
    issue(newsletter=newsletter(), greeting="").full_clean()
