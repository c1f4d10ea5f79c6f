"""One recipient a message, and nothing that a relay could misread (invariant 8)."""

import pytest

from newsletter.transports.values import (
    Envelope,
    Outcome,
    Receipt,
    UnsafeEnvelope,
    read_line,
    without_addresses,
)
from tests.transports.messages import content


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example.org,bo@example.org",
        "ada@example.org, bo@example.org",
        "ada@example.org;bo@example.org",
        "ada@example.org bo@example.org",
        "Ada <ada@example.org>",
        "<ada@example.org>",
        "ada@example.org>\r\nRCPT TO:<bo@example.org",
        "ada@example.org\nRCPT TO:<bo@example.org>",
        "ada@example.org\0",
        "ada@bo@example.org",
        '"ada, bo"@example.org',
        "friends:ada@example.org",
        "a" * 250 + "@example.org",
    ],
)
def test_an_envelope_holds_one_plain_address_or_is_not_made(recipient: str):
    with pytest.raises(UnsafeEnvelope):
        Envelope("bounces@wellread.example", recipient, content())
    with pytest.raises(UnsafeEnvelope):
        Envelope.of_compiled("bounces@wellread.example", recipient, content())


def test_a_sender_is_one_plain_address_or_the_null_return_path():
    assert Envelope("", "ada@example.org", content()).sender == ""
    with pytest.raises(UnsafeEnvelope):
        Envelope("bounces@x.example>\r\nRCPT TO:<bo@example.org", "ada@example.org", content())


@pytest.mark.parametrize(
    "body",
    [
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\r\r\nb\r\n",
        b"\n.\nMAIL FROM:<x@y>\r\n",
        b"\r\n.\n\r\n",
        b"end",
    ],
)
def test_content_with_a_bare_line_end_or_without_a_last_one_is_refused(body: bytes):
    with pytest.raises(UnsafeEnvelope):
        Envelope("bounces@wellread.example", "ada@example.org", content(body))


@pytest.mark.parametrize(
    ("receipt", "line"),
    [
        (Receipt(Outcome.PERMANENT, 550, "5.1.1", "no such mailbox"), "550 5.1.1 no such mailbox"),
        (Receipt(Outcome.PERMANENT, 550, "", "gone"), "550 gone"),
        (Receipt(Outcome.UNKNOWN, None, "4.4.2", "lost"), "4.4.2 lost"),
        (Receipt(Outcome.UNKNOWN, None, "", "lost"), "lost"),
        (Receipt(Outcome.ACCEPTED), ""),
    ],
)
def test_a_reply_is_kept_as_one_line_and_read_back(receipt: Receipt, line: str):
    assert receipt.as_line() == line
    assert read_line(line) == (receipt.code, receipt.enhanced, receipt.reply)


def test_a_reply_can_be_shown_without_the_readers_address():
    said = "550 <ada.lovelace@example.org>: no (bo@example.org)"

    assert without_addresses(said) == "550 <…@example.org>: no (…@example.org)"


def test_a_reply_that_is_too_long_for_the_row_is_cut():
    assert len(Receipt(Outcome.PERMANENT, 550, "5.1.1", "x" * 1000).as_line()) == 300
