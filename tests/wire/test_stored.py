"""A message that an earlier version stored is sent right by this one: deploys come mid-mailing.

To add a format: keep the old files, raise FORMAT_VERSION, add its reader, and write its two files
with `REWRITE_GOLDEN=1 python -m pytest tests/wire/test_stored.py`. A file that changed by itself
means that copies in mid-mailing would change.
"""

import json
import os
from pathlib import Path

import pytest

from newsletter.wire import message as wire
from newsletter.wire.headers import format_address, list_url
from newsletter.wire.message import (
    FORMAT_VERSION,
    READERS,
    CompiledMessage,
    FormatError,
    NewerFormat,
    boundary_for,
    compile_message,
)
from newsletter.wire.slots import Slot, mark

HERE = Path(__file__).parent / "stored"
URL = "https://news.example.org/unsubscribe/" + "Ab3_-" * 12 + "/"
VALUES = {
    Slot.TO: "Zoë <zoe@example.org>".replace("Zoë", "=?utf-8?q?Zo=C3=AB?="),
    Slot.DATE: "Mon, 23 Nov 2026 07:00:00 +0000",
    Slot.MESSAGE_ID: "<0123456789abcdef@news.example.org>",
    Slot.UNSUBSCRIBE_URL: URL,
    Slot.FIRST_NAME: "Zoë & <Bo>",
}


def sample() -> CompiledMessage:
    text = f"Grüße {mark(Slot.FIRST_NAME, 'there')},\n\n.dot\n{mark(Slot.UNSUBSCRIBE_URL)}\n"
    name = mark(Slot.FIRST_NAME, "you &amp; yours")
    html = f'<p>{name}</p><a href="{mark(Slot.UNSUBSCRIBE_URL)}">x</a>'
    headers = [
        ("From", format_address("Wärme", "hello@news.example.org")),
        ("To", mark(Slot.TO)),
        ("Subject", "Rücken"),
        ("Date", mark(Slot.DATE)),
        ("Message-ID", mark(Slot.MESSAGE_ID)),
        ("List-Unsubscribe", f"<{mark(Slot.UNSUBSCRIBE_URL)}>"),
        ("List-Help", list_url("https://news.example.org/preferences/")),
    ]
    return compile_message(headers, text, html, boundary=boundary_for(text, html))


@pytest.mark.parametrize("version", sorted(READERS))
def test_what_any_version_stored_still_gives_the_same_copy(version: int) -> None:
    stored, copy = HERE / f"format-{version}.json", HERE / f"format-{version}.eml"
    if os.environ.get("REWRITE_GOLDEN") and version == FORMAT_VERSION:
        stored.write_bytes(sample().to_bytes())
        copy.write_bytes(sample().fill(VALUES))

    assert CompiledMessage.from_bytes(stored.read_bytes()).fill(VALUES) == copy.read_bytes()


def test_what_is_stored_today_is_what_the_newest_file_holds() -> None:
    """Otherwise the format changed without a new version, and a worker of yesterday misreads it."""
    assert sample().to_bytes() == (HERE / f"format-{FORMAT_VERSION}.json").read_bytes()


def test_every_version_has_its_reader_and_the_newest_is_written() -> None:
    assert sorted(READERS) == list(range(1, FORMAT_VERSION + 1))


def test_what_a_later_version_stored_is_told_apart_from_damage() -> None:
    document = json.loads(sample().to_bytes())
    later = json.dumps({**document, "format": FORMAT_VERSION + 1, "new": "kind of field"})

    with pytest.raises(NewerFormat, match=f"format {FORMAT_VERSION + 1}"):
        CompiledMessage.from_bytes(later.encode())
    for nonsense in (0, -1, "2", None, 1.5, [1]):
        with pytest.raises(FormatError) as caught:
            CompiledMessage.from_bytes(json.dumps({**document, "format": nonsense}).encode())
        assert not isinstance(caught.value, NewerFormat)


def test_the_next_version_reads_this_one_and_gives_the_same_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it will be on the day of the deploy: one version writes, both are read."""
    stored = sample().to_bytes()
    monkeypatch.setattr(wire, "FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setitem(READERS, FORMAT_VERSION + 1, READERS[FORMAT_VERSION])

    assert CompiledMessage.from_bytes(stored).fill(VALUES) == sample().fill(VALUES)
    again = sample().to_bytes()
    assert json.loads(again)["format"] == FORMAT_VERSION + 1
    assert CompiledMessage.from_bytes(again).fill(VALUES) == sample().fill(VALUES)
