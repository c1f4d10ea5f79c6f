"""A message that an earlier version stored is sent right by this one: deploys come mid-mailing.

Two are written today: the plain one, and one for messages with parts for some readers only.
To add a format: keep the old files, give it the next number, add its reader, and write its two
files with `REWRITE_GOLDEN=1 python -m pytest tests/wire/test_stored.py`. A file that changed by
itself means that copies in mid-mailing would change.
"""

import json
import os
import quopri
from pathlib import Path

import pytest

from newsletter.wire import message as wire
from newsletter.wire.headers import format_address, list_url
from newsletter.wire.message import (
    FORMAT_VERSION,
    READERS,
    STRETCHES_VERSION,
    CompiledMessage,
    FormatError,
    NewerFormat,
    boundary_for,
    compile_message,
)
from newsletter.wire.slots import Slot, mark, stretch_marks

HERE = Path(__file__).parent / "stored"
URL = "https://news.example.org/unsubscribe/" + "Ab3_-" * 12 + "/"
VALUES = {
    Slot.TO: "Zoë <zoe@example.org>".replace("Zoë", "=?utf-8?q?Zo=C3=AB?="),
    Slot.DATE: "Mon, 23 Nov 2026 07:00:00 +0000",
    Slot.MESSAGE_ID: "<0123456789abcdef@news.example.org>",
    Slot.UNSUBSCRIBE_URL: URL,
    Slot.FIRST_NAME: "Zoë & <Bo>",
}


FOLLOWED = frozenset({3, 5})
WRITTEN = (FORMAT_VERSION, STRETCHES_VERSION)


def decoded(copy: bytes) -> bytes:
    return quopri.decodestring(copy)


def sample(version: int = FORMAT_VERSION) -> CompiledMessage:
    before, after = stretch_marks(FOLLOWED) if version == STRETCHES_VERSION else ("", "")
    only = f"{before}Für Sie.\n{after}" if before else ""
    text = f"{only}Grüße {mark(Slot.FIRST_NAME, 'there')},\n\n.dot\n{mark(Slot.UNSUBSCRIBE_URL)}\n"
    name = mark(Slot.FIRST_NAME, "you &amp; yours")
    html = f'{only}<p>{name}</p><a href="{mark(Slot.UNSUBSCRIBE_URL)}">x</a>'
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
    if os.environ.get("REWRITE_GOLDEN") and version in WRITTEN:
        stored.write_bytes(sample(version).to_bytes())
        copy.write_bytes(sample(version).fill(VALUES, FOLLOWED))

    read = CompiledMessage.from_bytes(stored.read_bytes())
    assert read.fill(VALUES, FOLLOWED) == copy.read_bytes()


@pytest.mark.parametrize("version", WRITTEN)
def test_what_is_stored_today_is_what_its_file_holds(version: int) -> None:
    """Otherwise the format changed without a new version, and a worker of yesterday misreads it."""
    assert sample(version).to_bytes() == (HERE / f"format-{version}.json").read_bytes()


def test_every_version_has_its_reader_and_the_newest_is_written() -> None:
    assert sorted(READERS) == list(range(1, max(WRITTEN) + 1))


def test_a_part_for_some_readers_is_told_by_the_version() -> None:
    """A worker that knows the plain format alone must not send such a message to everybody."""
    assert sample(STRETCHES_VERSION).format_version == STRETCHES_VERSION
    assert sample().format_version == FORMAT_VERSION
    stored = sample(STRETCHES_VERSION).to_bytes()
    read = CompiledMessage.from_bytes(stored)
    assert "Für Sie".encode() not in decoded(read.fill(VALUES))
    assert "Für Sie".encode() in decoded(read.fill(VALUES, {5}))


def test_what_a_later_version_stored_is_told_apart_from_damage() -> None:
    document = json.loads(sample().to_bytes())
    next_one = max(WRITTEN) + 1
    later = json.dumps({**document, "format": next_one, "new": "kind of field"})

    with pytest.raises(NewerFormat, match=f"format {next_one}"):
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
    next_one = max(WRITTEN) + 1
    monkeypatch.setattr(wire, "FORMAT_VERSION", next_one)
    monkeypatch.setitem(READERS, next_one, READERS[FORMAT_VERSION])

    assert CompiledMessage.from_bytes(stored).fill(VALUES) == sample().fill(VALUES)
    again = sample().to_bytes()
    assert json.loads(again)["format"] == next_one
    assert CompiledMessage.from_bytes(again).fill(VALUES) == sample().fill(VALUES)
