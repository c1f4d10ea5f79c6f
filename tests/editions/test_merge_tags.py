"""The closed vocabulary of words in braces."""

import pytest

from newsletter.editions import merge_tags


def replaced(text: str) -> str:
    return merge_tags.replace(text, lambda name, fallback: f"[{name}:{fallback}]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {first_name|there},", "Hello [first_name:there],"),
        ("{ first_name | dear reader }", "[first_name:dear reader]"),
        ("{first_name|a}{first_name|b}", "[first_name:a][first_name:b]"),
        ("{first_name}", "{first_name}"),
        ("{first_name|}", "{first_name|}"),
        ("{surname|x}", "{surname|x}"),
        ("{{first_name|x}}", "{[first_name:x]}"),
    ],
)
def test_only_known_names_with_a_fallback_are_replaced(text: str, expected: str) -> None:
    assert replaced(text) == expected


@pytest.mark.parametrize(
    "tag",
    [
        "{first_name}",
        "{first_name|}",
        "{surname|x}",
        "{{ name }}",
        "*|FNAME|*",
        "%%name%%",
        "[[name]]",
        "{x.y()}",
    ],
)
def test_what_looks_like_a_tag_and_is_none_is_found(tag: str) -> None:
    assert merge_tags.unknown(f"Hello {tag}, welcome") == [tag]


def test_a_tag_that_was_never_closed_is_found() -> None:
    assert merge_tags.unknown("Hello {first_name|there") == ["{first_name|there"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello {first_name|there},",
        "5 * 3 | 2 * 4",
        "100 % sure, 50 % not",
        "[1] see [2]",
        "a } b",
    ],
)
def test_ordinary_text_holds_no_tag(text: str) -> None:
    assert merge_tags.unknown(text) == []


def test_where_nothing_is_replaced_a_known_tag_is_left_over_too() -> None:
    assert merge_tags.left_over("Dear {first_name|you}") == ["{first_name|you}"]
