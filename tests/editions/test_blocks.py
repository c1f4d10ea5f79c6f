"""What an editor may leave out of a block, and what the form says then."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from wagtail.blocks import StructBlockValidationError
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from newsletter.editions.blocks import ArticleBody, IssueBody


def cleaned(name: str, value: Any) -> Any:
    block = IssueBody().child_blocks[name]
    return block.clean(block.to_python(value))


@pytest.mark.parametrize(
    "url",
    ["example.org", "javascript:alert(1)", "//evil.example", "mailto:a@example.org", "https://"],
)
def test_a_button_leads_to_a_web_address(url: str) -> None:
    with pytest.raises(StructBlockValidationError) as caught:
        cleaned("button", {"text": "Read it", "url": url})
    assert "whole address" in str(caught.value.block_errors["url"])


@pytest.mark.parametrize("url", ["https://example.org/a/", "http://example.org", "/conditions/"])
def test_a_button_may_lead_to_our_pages_and_others(url: str) -> None:
    assert cleaned("button", {"text": "Read it", "url": url})["url"] == url


@pytest.mark.parametrize("number", ["112", "+49 116 117", "999"])
def test_an_emergency_number_can_be_dialled(number: str) -> None:
    value = {"title": "Now", "signs": ["A sign"], "number": number}
    assert cleaned("emergency", value)["number"] == number


@pytest.mark.parametrize("number", ["call us", "112 or 999", "<b>", "+"])
def test_anything_else_is_no_emergency_number(number: str) -> None:
    with pytest.raises(StructBlockValidationError):
        cleaned("emergency", {"title": "Now", "signs": ["A sign"], "number": number})


def test_an_emergency_block_needs_a_sign() -> None:
    with pytest.raises(StructBlockValidationError):
        cleaned("emergency", {"title": "Now", "signs": [], "number": ""})


def test_key_facts_need_a_fact() -> None:
    with pytest.raises(StructBlockValidationError):
        cleaned("key_facts", {"title": "Key facts", "facts": []})


@pytest.mark.parametrize(
    "text", ["Dear {{ name }}", "Hi *|FNAME|*", "For {surname|you}", "{first_name}"]
)
def test_a_heading_with_a_tag_we_do_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="We do not know"):
        cleaned("heading", text)


def test_a_heading_may_hold_the_readers_name_with_a_fallback() -> None:
    assert cleaned("heading", " For {first_name|you} ") == "For {first_name|you}"


@pytest.mark.django_db
def test_a_picture_needs_words_or_to_be_marked_as_decorative() -> None:
    image = get_image_model().objects.create(title="A walk", file=get_test_image_file())
    with pytest.raises(StructBlockValidationError):
        cleaned("image", {"image": image.pk, "alt_text": "", "decorative": False})
    assert cleaned("image", {"image": image.pk, "alt_text": "", "decorative": True}).decorative
    assert cleaned("image", {"image": image.pk, "alt_text": "A walk", "decorative": False})


def test_an_article_holds_no_block_that_only_a_mail_needs() -> None:
    assert set(ArticleBody().child_blocks) == {
        *("heading", "rich_text", "quote", "key_facts", "callout", "emergency")
    }
