"""Headers and bodies with marks in them, compiled to pieces that are ready for the wire."""

import re
from collections.abc import Sequence
from html import unescape

from newsletter.wire import headers as header_values
from newsletter.wire.headers import MAX_LINE, UnsafeValue
from newsletter.wire.pieces import Piece, Stretch, merged
from newsletter.wire.quoted_printable import SOFT_BREAK, encode
from newsletter.wire.slots import MARK, STRETCH, Slot, has_stray, stretch_keys
from newsletter.wire.values import Hole, Place

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ONCE = frozenset({"from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe"})
_OURS = frozenset({"mime-version", "content-type", "content-transfer-encoding"})
_FREE_TEXT = frozenset({"subject"})
_NEVER_FOLDED = frozenset({"message-id", "date", "feedback-id", "to"})


def compile_headers(headers: Sequence[tuple[str, str]]) -> tuple[Piece, ...]:
    """Return the headers in their order, each with its line end. Raises UnsafeValue."""
    pieces: list[Piece] = []
    seen: set[str] = set()
    for name, value in headers:
        lower = name.lower()
        if not _NAME.fullmatch(name) or lower in _OURS:
            raise UnsafeValue(f"{name!r} cannot be given as a header.")
        if lower in seen and lower in _ONCE:
            raise UnsafeValue(f"A message has one {name} (RFC 5322 section 3.6).")
        seen.add(lower)
        pieces += _compile_header(name, value)
    return tuple(pieces)


def _compile_header(name: str, value: str) -> list[Piece]:
    lower = name.lower()
    if MARK.search(value):
        pieces: list[Piece] = [f"{name}: ".encode("ascii")]
        column = len(name) + 2
        if STRETCH.search(value):
            raise UnsafeValue("A header is the same for every reader but for its slots.")
        for piece in _split_slots(value, Place.HEADER, column):
            if isinstance(piece, Hole):
                pieces.append(piece)
            else:
                pieces.append(header_values.assert_line(piece).encode("ascii"))
        pieces.append(b"\r\n")
        return pieces
    if lower in _FREE_TEXT:
        value = header_values.encode_text(value)
    header_values.assert_line(value)
    if not value.strip():
        raise UnsafeValue(f"The header {name} is empty.")
    if lower.startswith("list-") or lower in _NEVER_FOLDED:
        if len(name) + 2 + len(value) > MAX_LINE:
            raise UnsafeValue(f"The header {name} is longer than a line may be ({MAX_LINE}).")
    else:
        value = header_values.fold(name, value)
    return [f"{name}: {value}\r\n".encode("ascii")]


def compile_body(body: str, place: Place) -> tuple[Piece, ...]:
    """Return a body in quoted-printable; what differs between readers stands on lines of its own
    between soft breaks. Raises UnsafeValue."""
    pieces: list[Piece] = []
    line_start = True
    stretches = _split(body, place)
    for number, piece in enumerate(stretches, start=1):
        if not isinstance(piece, str):
            if not line_start:
                pieces.append(SOFT_BREAK)
            pieces += [piece, SOFT_BREAK]
            line_start = True
        elif piece:
            # What follows the last stretch is a line end, before which no blank may stand bare.
            last = number == len(stretches)
            encoded = encode(piece + "\n")[:-2] if last else encode(piece)
            pieces.append(encoded)
            line_start = encoded.endswith(b"\r\n")
    return merged(pieces)


def _split(value: str, place: Place) -> list[str | Hole | Stretch]:
    """Cut a value with marks into constant text, its holes and its stretches."""
    pieces: list[str | Hole | Stretch] = []
    position = 0
    for match in STRETCH.finditer(value):
        pieces += _split_slots(value[position : match.start()], place)
        pieces.append(_stretch(match, place))
        position = match.end()
    return [*pieces, *_split_slots(value[position:], place)]


def _stretch(match: re.Match[str], place: Place) -> Stretch:
    keys, content = stretch_keys(match[1]), match[2]
    if MARK.search(content):
        raise UnsafeValue("A stretch for some readers holds no slots and no other stretch.")
    # It ends with its line, so that a soft break may follow it and the next piece begin anew.
    return Stretch(keys, encode(content if content.endswith("\n") else content + "\n"))


def _split_slots(value: str, place: Place, column: int = 0) -> list[str | Hole]:
    if has_stray(value):
        raise UnsafeValue("A slot's mark is damaged; make it with wire.slots.mark.")
    pieces: list[str | Hole] = []
    position = 0
    for match in MARK.finditer(value):
        pieces.append(value[position : match.start()])
        try:
            slot = Slot(match[1])
        except ValueError as error:
            raise UnsafeValue(f"No slot is called {match[1]!r}.") from error
        fallback = match[2]
        if place is Place.HTML and fallback is not None:
            # It stood in a document like everything else: escaped. `fill` escapes it again.
            fallback = unescape(fallback)
        pieces.append(Hole(slot, place, fallback, column))
        position = match.end()
    pieces.append(value[position:])
    return pieces
