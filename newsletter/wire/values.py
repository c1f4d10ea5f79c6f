"""How one reader's value is encoded for the place it stands in."""

import html
import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from newsletter.wire.headers import (
    FOLD_AT,
    MAX_LINE,
    UnsafeValue,
    assert_line,
    assert_printable,
    fold,
)
from newsletter.wire.headers import encode_text as encode_free_text
from newsletter.wire.quoted_printable import SOFT_BREAK, encode
from newsletter.wire.slots import Slot


class Place(StrEnum):
    HEADER = "header"
    TEXT = "text"
    HTML = "html"
    # A link's token, in whichever of the three: `CompiledMessage.bind_token` makes these.
    LINK = "link"


class Hole(NamedTuple):
    """One place for a reader's value.

    `column` is where the value begins in its header line; in a token's place, after how many of
    its characters the line breaks (0: nowhere).
    """

    slot: Slot
    place: Place
    fallback: str | None = None
    column: int = 0


Encoder = Callable[[str | bytes, Hole], bytes]


class MissingValue(LookupError):
    """A copy lacks a value that its message has a slot for."""


# What most values look like: they stand for themselves, so that encoding them is one C call.
# A soft break goes in front of a body's value, hence the care about how it begins.
_PLAIN_TEXT = re.compile(r"(?!From )[\x21-\x2d\x2f-\x3c\x3e-\x7e][\x20-\x3c\x3e-\x7e]*").fullmatch
_PLAIN_HTML = re.compile(
    r"(?!From )[\x21\x23-\x25\x28-\x2d\x2f-\x3b\x3f-\x7e][\x20\x21\x23-\x25\x28-\x3b\x3f-\x7e]*"
).fullmatch
_TOKEN = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_ROOM = 75


def encode_header(value: str | bytes, hole: Hole) -> bytes:
    if isinstance(value, bytes):
        raise UnsafeValue("A header takes text; format_address encodes names for it.")
    if hole.column + len(value) > FOLD_AT or not _is_plain_header(value):
        return _long_header(value, hole)
    return value.encode("ascii")


def _is_plain_header(value: str) -> bool:
    """Whether it stands for itself: printable ASCII that is neither blank nor like an encoded word,
    which a name of a condition could look like. Four calls of C, a third of a pattern's time."""
    plain = value.isascii() and value.isprintable() and "=?" not in value
    return plain and bool(value) and not value.isspace()


def encode_text(value: str | bytes, hole: Hole) -> bytes:
    if isinstance(value, bytes):
        return value
    if _PLAIN_TEXT(value):
        return value.encode("ascii") if len(value) <= _ROOM else _broken(value)
    return encode(_one_line(value))


def encode_html(value: str | bytes, hole: Hole) -> bytes:
    if isinstance(value, bytes):
        return value
    if _PLAIN_HTML(value):
        return value.encode("ascii") if len(value) <= _ROOM else _broken(value)
    return encode(html.escape(_one_line(value)))


def encode_token(value: str | bytes, hole: Hole) -> bytes:
    if isinstance(value, str):
        if not _TOKEN(value):
            raise UnsafeValue("A link's token holds letters, digits, hyphens and underscores.")
        value = value.encode("ascii")
    if not hole.column:
        return value
    return value[: hole.column] + SOFT_BREAK + value[hole.column :]


ENCODERS: dict[Place, Encoder] = {
    Place.HEADER: encode_header,
    Place.TEXT: encode_text,
    Place.HTML: encode_html,
    Place.LINK: encode_token,
}


def _long_header(value: str, hole: Hole) -> bytes:
    if not value.strip():
        raise UnsafeValue(f"The value of {hole.slot.value!r} is empty.")
    if hole.slot is Slot.SUBJECT:
        return fold("Subject", encode_free_text(value), column=hole.column).encode("ascii")
    if hole.slot is Slot.TO:
        # Letters outside ASCII stand in an address alone: `format_recipient` sees to that.
        assert_printable(value)
        return fold("To", value, column=hole.column).encode()
    assert_line(value)
    if hole.column + len(value) > MAX_LINE - 2:
        raise UnsafeValue(f"The value of {hole.slot.value!r} is longer than a header line may be.")
    return value.encode("ascii")


def _one_line(value: str) -> str:
    if "\r" in value or "\n" in value or "\x00" in value:
        raise UnsafeValue("A line break or a NUL may not stand in a reader's value.")
    return value


def _broken(value: str) -> bytes:
    """Cut a long plain value, most often a link, into lines; none begins with a dot."""
    raw = value.encode("ascii")
    if b"." in raw[_ROOM::_ROOM] or b" " in raw:
        return encode(value)
    return SOFT_BREAK.join([raw[at : at + _ROOM] for at in range(0, len(raw), _ROOM)])
