from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.wire.headers import (
    UnsafeValue,
    assert_line,
    assert_safe,
    encode_address,
    encode_recipient,
    encode_text,
    fold,
    format_address,
    format_date,
    format_recipient,
    list_id,
    list_url,
)

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"),
    max_size=80,
)


def unfolded(name: str, value: str) -> str:
    raw = f"{name}: {fold(name, value)}\r\n\r\n".encode("ascii")
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    return str(message_from_bytes(raw)[name]).replace("\r\n", "")


def decoded(words: str) -> str:
    """Decode RFC 2047; the newer parser of Python 3.11 keeps the space between two words."""
    return str(make_header(decode_header(words)))


@given(NAMES)
def test_a_name_comes_back_as_it_was_written(name: str) -> None:
    display_name, address = parseaddr(unfolded("To", format_address(name, "anna@example.org")))
    assert address == "anna@example.org"
    assert decoded(display_name) == " ".join(name.split())


@pytest.mark.parametrize("name", ["", "Anna", "Anna B.", "Zoë", "²", "a" * 41, "Anna\n"])
@pytest.mark.parametrize(
    "address",
    [
        "anna@example.org",
        "anna.b-c+d@mail-1.example.org",
        "anna..b@example.org",
        ".anna@example.org",
        "anna@example",
        "anna@-example.org",
        "anna@example.org.",
        "anna@example.org\n",
        "anna@bo@example.org",
        "anna@bücher.example",
        "jürgen@example.org",
        "@example.org",
        "anna@",
        "anna",
        "a" * 250 + "@example.org",
    ],
)
def test_the_short_way_to_a_recipient_comes_to_the_same(name: str, address: str) -> None:
    def said(way: Callable[[], str]) -> str | None:
        try:
            return way()
        except UnsafeValue:
            return None

    wire_form = said(lambda: encode_recipient(address))
    # A plain address stands for the whole: what format_address does with the name is the long way.
    long_way = None if wire_form is None else said(lambda: format_address(name, "x@example.org"))
    expected = None if long_way is None else long_way.replace("x@example.org", wire_form or "")
    assert said(lambda: format_recipient(name, address)) == expected


@given(NAMES.filter(str.strip))
def test_a_subject_comes_back_as_it_was_written(subject: str) -> None:
    assert decoded(unfolded("Subject", encode_text(subject))) == " ".join(subject.split())


@pytest.mark.parametrize(
    "name",
    ["Dr. Anna Ö.", 'Anna "the back" B.', "back\\slash", "=?utf-8?q?evil?=", "علي", "😀" * 30],
)
def test_awkward_names_come_back_too(name: str) -> None:
    display_name, _ = parseaddr(unfolded("From", format_address(name, "anna@example.org")))
    assert decoded(display_name) == name


@given(NAMES)
def test_no_encoded_word_is_longer_than_75(text: str) -> None:
    assert all(len(word) <= 75 for word in encode_text(text).split() if word.startswith("=?"))


def test_a_plain_subject_stays_readable_in_the_source() -> None:
    assert encode_text("Your health reading for this week") == "Your health reading for this week"


def test_a_domain_outside_ascii_goes_out_as_a_label() -> None:
    assert encode_address("info@bücher.example") == "info@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@example.org", "anna@", "a b@example.org", "a@b@c", "änna@example.org",
        "anna@example.org>", "anna@exam ple.org", "<anna@example.org>", "anna@-example.org",
        "anna@example..org", ".anna@example.org", "a,b@example.org",
        "anna@example.org\r\nBcc: x@y.z", "anna@example.org\x00", "a" * 250 + "@example.org",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeValue):
        encode_address(address)


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\x00b", "a\r\nBcc: everyone@example.org"])
def test_a_line_break_never_reaches_a_header(bad: str) -> None:
    for write in (assert_safe, assert_line, encode_text, list_url):
        with pytest.raises(UnsafeValue):
            write(bad)
    with pytest.raises(UnsafeValue):
        format_address(bad, "anna@example.org")


def test_a_list_url_is_literal() -> None:
    url = "https://news.example.org/unsubscribe/" + "t" * 200 + "/"
    assert list_url(url) == f"<{url}>"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/unsubscribe/x/", "https://a/b c", "https://a/>,<b"]
)
def test_a_list_url_that_could_be_misread_is_refused(url: str) -> None:
    with pytest.raises(UnsafeValue):
        list_url(url)


def test_a_list_id_has_a_label_and_a_domain() -> None:
    assert list_id("living-well", "news.example.org") == "<living-well.news.example.org>"


def test_a_list_id_label_with_an_angle_bracket_is_refused() -> None:
    with pytest.raises(UnsafeValue):
        list_id("a>b", "example.org")


def test_dates_are_in_utc() -> None:
    moment = datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    assert format_date(moment) == "Sun, 22 Nov 2026 07:30:00 +0000"
    assert format_date(moment.astimezone(UTC)) == format_date(moment)


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(UnsafeValue):
        format_date(datetime(2026, 11, 22))
