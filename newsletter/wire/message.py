"""A whole message compiled once, and its copies: constant bytes joined with a few short values.

A copy is ready for the wire and for an API alike. No line of it begins with a dot (quoted-printable
writes `=2E`, header lines begin with a letter or a space), so that dot-stuffing (RFC 5321 section
4.5.2), done once, never or twice, changes nothing. The tests hold that over arbitrary content.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from newsletter.wire.headers import UnsafeValue
from newsletter.wire.parts import compile_body, compile_headers
from newsletter.wire.pieces import Piece, Stretch, constant, from_json, merged, to_json
from newsletter.wire.quoted_printable import SOFT_BREAK
from newsletter.wire.slots import Slot
from newsletter.wire.values import ENCODERS, Encoder, Hole, MissingValue, Place

FORMAT_VERSION = 1
# What a message with stretches is stored in: code that knows format 1 alone must not send it.
STRETCHES_VERSION = 2

_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:=?-]{1,70}")
_TEXT_HEAD = (
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_HTML_HEAD = _TEXT_HEAD.replace(b"text/plain", b"text/html")

# The last address of the From line, however it was folded.
_FROM = re.compile(rb"(?:^|\r\n)From: (?:[^\r\n]|\r\n )*@([^\s<>@]+)>?\r\n")


_NOBODYS: frozenset[int] = frozenset()


class FormatError(ValueError):
    """Stored bytes that this version cannot read back."""


class NewerFormat(FormatError):
    """Stored by a later version of Wellread: nothing is wrong with it, only with who reads it."""


@dataclass(frozen=True)
class CompiledMessage:
    """A message that is ready for the wire but for its slots. Make one with `compile_message`.

    Immutable, and safe to share between threads.
    """

    headers: tuple[Piece, ...]
    text: tuple[Piece, ...]
    html: tuple[Piece, ...] | None
    boundary: str
    _parts: list[bytes] = field(init=False, repr=False, compare=False)
    _holes: list[tuple[str, Encoder, Hole, tuple[int, ...]]] = field(
        init=False, repr=False, compare=False
    )
    _stretches: list[tuple[Stretch, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts: list[bytes] = []
        places: dict[Hole, list[int]] = {}
        stretches: list[tuple[Stretch, int]] = []
        constant: list[bytes] = []
        for piece in self._layout():
            if isinstance(piece, bytes):
                constant.append(piece)
            else:
                parts.append(b"".join(constant))
                constant = []
                if isinstance(piece, Stretch):
                    stretches.append((piece, len(parts)))
                else:
                    places.setdefault(piece, []).append(len(parts))
                parts.append(b"")
        parts.append(b"".join(constant))
        object.__setattr__(self, "_parts", parts)
        # Plain strings and looked-up functions: `fill` runs once per reader.
        holes = [
            (hole.slot.value, ENCODERS[hole.place], hole, tuple(indexes))
            for hole, indexes in places.items()
        ]
        object.__setattr__(self, "_holes", holes)
        object.__setattr__(self, "_stretches", stretches)

    def _layout(self) -> tuple[Piece, ...]:
        if self.html is None:
            return (*self.headers, _TEXT_HEAD, *self.text, b"\r\n")
        line = f"\r\n--{self.boundary}".encode("ascii")
        return (
            *self.headers,
            f'Content-Type: multipart/alternative; boundary="{self.boundary}"\r\n'.encode("ascii"),
            line + b"\r\n" + _TEXT_HEAD,
            *self.text,
            line + b"\r\n" + _HTML_HEAD,
            *self.html,
            line + b"--\r\n",
        )

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The whole message in its order: bytes, and holes for values."""
        return self._layout()

    @property
    def slots(self) -> frozenset[Slot]:
        """The slots that `fill` needs values for."""
        return frozenset(hole.slot for _, _, hole, _ in self._holes)

    @property
    def sender_domain(self) -> str:
        """The domain of the From address, in ASCII: that of the Message-IDs of its copies.

        Read from the compiled header, so that it stays what was approved. Raises FormatError.
        """
        for piece in self.headers:
            found = _FROM.search(piece) if isinstance(piece, bytes) else None
            if found:
                return found[1].decode("ascii")
        raise FormatError("This message has no From address.")

    @property
    def stretch_keys(self) -> frozenset[int]:
        """Every key that some stretch of this message asks for; empty when all get the same."""
        return frozenset(key for stretch, _ in self._stretches for key in stretch.keys)

    @property
    def format_version(self) -> int:
        """The version in which `to_bytes` stores this message."""
        return STRETCHES_VERSION if self._stretches else FORMAT_VERSION

    def fill(self, values: Mapping[str, str | bytes], keys: Collection[int] = _NOBODYS) -> bytes:
        """Return one copy. The hot path: about as long as the join of its segments.

        A `str` is a value as a person would read it: it is checked and encoded for each place
        it stands in (header, text, HTML). `bytes` are ready for the wire and come from this
        package: `format_address`'s kind for a header, `quoted_printable.encode`'s for a body.
        An empty value gives way to the slot's fallback. Values without a slot are ignored.
        `keys` are this reader's: each stretch that asks for one of them is in the copy.

        Raises MissingValue, or UnsafeValue for a line break or NUL (nothing is ever stripped).
        """
        parts = self._parts.copy()
        for slot, encoder, hole, indexes in self._holes:
            encoded = encoder(values.get(slot) or _missing(hole, values), hole)
            for index in indexes:
                parts[index] = encoded
        for stretch, index in self._stretches:
            if not stretch.keys.isdisjoint(keys):
                parts[index] = stretch.content
        return b"".join(parts)

    def bind(self, values: Mapping[str, str | bytes]) -> Self:
        """Return this message with some slots filled for good: what a whole mailing shares."""

        def bound(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
            return tuple(
                _encode_for(piece, values)
                if isinstance(piece, Hole) and piece.slot in values
                else piece
                for piece in pieces
            )

        html = None if self.html is None else bound(self.html)
        return type(self)(bound(self.headers), bound(self.text), html, self.boundary)

    def bind_token(self, slot: Slot, before: str, after: str, *, length: int) -> Self:
        """Return this message with the slot's value fixed but for a token in the middle of it.

        `fill` then takes for `slot` the token alone: `length` ASCII letters, digits, `-` and `_`,
        which stand for themselves in a header, in HTML and in quoted-printable. So the long link
        is escaped and broken into lines once and not for each reader.
        """

        def bound(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
            opened: list[Piece] = []
            for piece in pieces:
                if isinstance(piece, Hole) and piece.slot is slot:
                    opened += _around_token(piece, before, after, length)
                else:
                    opened.append(piece)
            return merged(opened)

        html = None if self.html is None else bound(self.html)
        return type(self)(bound(self.headers), bound(self.text), html, self.boundary)

    def text_only(self) -> Self:
        """Return the same message for a reader who chose plain text."""
        return type(self)(self.headers, self.text, None, self.boundary)

    def to_bytes(self) -> bytes:
        """Return a form that can be stored; equal messages give equal bytes."""
        parts = {"headers": self.headers, "text": self.text, "html": self.html}
        document = {
            "format": self.format_version,
            "boundary": self.boundary,
            **{
                name: None if pieces is None else [to_json(piece) for piece in pieces]
                for name, pieces in parts.items()
            },
        }
        return json.dumps(document, separators=(",", ":"), sort_keys=True).encode("ascii")

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read back what `to_bytes` gave, now or in an earlier version.

        Raises NewerFormat for what a later version stored, FormatError for damage.
        """
        try:
            document = json.loads(bytes(stored))
            version = document["format"]
            if version in READERS:
                return cls(**READERS[version](document))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"These bytes hold no compiled message: {error!r}") from error
        known = f"this version of Wellread reads up to format {max(READERS)}"
        if isinstance(version, int) and version > max(READERS):
            raise NewerFormat(f"This message was stored in format {version}; {known}.")
        raise FormatError(
            f"This message was stored in format {version!r}; {known}. Approve the issue again to "
            "compile it anew."
        )


def _read_1(document: dict[str, Any]) -> dict[str, Any]:
    html = document["html"]
    return {
        "headers": tuple(from_json(piece) for piece in document["headers"]),
        "text": tuple(from_json(piece) for piece in document["text"]),
        "html": None if html is None else tuple(from_json(piece) for piece in html),
        "boundary": document["boundary"],
    }


# Every format that was ever stored, so that a deploy in the middle of a mailing changes nothing:
# tests/wire/stored/ holds a message of each, and the copy that it has to give for ever.
READERS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    FORMAT_VERSION: _read_1,
    # The same layout; only its pieces may be stretches.
    STRETCHES_VERSION: _read_1,
}


def compile_message(
    headers: Sequence[tuple[str, str]], text: str, html: str, *, boundary: str
) -> CompiledMessage:
    """Compile a message whose values may hold marks (`wire.slots.mark`).

    `headers` come in the order in which they shall stand; the MIME headers are added here. An
    empty `html` gives a message of text alone. `boundary` is fixed by the caller, so that equal
    content gives equal bytes (`boundary_for`).

    Raises UnsafeValue for whatever may not go on the wire.
    """
    if not text.strip():
        raise UnsafeValue("A message needs a text part (RFC 2046 section 5.1.4).")
    if not _BOUNDARY.fullmatch(boundary):
        raise UnsafeValue("A boundary has at most 70 characters and no space.")
    compiled = CompiledMessage(
        headers=merged((*compile_headers(headers), b"MIME-Version: 1.0\r\n")),
        text=compile_body(text, Place.TEXT),
        html=compile_body(html, Place.HTML) if html else None,
        boundary=boundary,
    )
    delimiter = f"--{boundary}".encode("ascii")
    for part in (compiled.text, compiled.html or ()):
        if any(delimiter in constant(piece) for piece in part):
            raise UnsafeValue("The boundary occurs in the message itself.")
    return compiled


def boundary_for(*contents: str) -> str:
    """Return a boundary fixed by the content; `=_` cannot occur in quoted-printable."""
    digest = hashlib.sha256("\x00".join(contents).encode("utf-8", "surrogatepass"))
    return f"=_{digest.hexdigest()[:32]}"


def _encode_for(hole: Hole, values: Mapping[str, str | bytes]) -> bytes:
    return ENCODERS[hole.place](values.get(hole.slot) or _missing(hole, values), hole)


def _around_token(hole: Hole, before: str, after: str, length: int) -> list[Piece]:
    """Return what stands around the token in this place: found out by encoding two of them."""
    one, other = (
        ENCODERS[hole.place](f"{before}{letter * length}{after}", hole) for letter in "AB"
    )
    differs = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    start, end = differs[0], differs[-1] + 1
    cut = one.find(SOFT_BREAK, start, end) - start
    if one[start:end].replace(SOFT_BREAK, b"", 1) != b"A" * length:
        raise UnsafeValue("A link's token is too long for one line.")
    token = Hole(hole.slot, Place.LINK, None, max(cut, 0))
    return [one[:start], token, one[end:]]


def _missing(hole: Hole, values: Mapping[str, str | bytes]) -> str:
    """Return what stands in for an empty value. Raises MissingValue where there is none at all."""
    if hole.fallback is not None:
        return hole.fallback
    if values.get(hole.slot) is None:
        raise MissingValue(f"No value for the slot {hole.slot.value!r}.")
    return ""
