"""What a compiled message is made of: bytes, holes for values, stretches for some readers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from newsletter.wire.slots import Slot
from newsletter.wire.values import Hole, Place


class Stretch(NamedTuple):
    """Constant bytes that only readers with one of `keys` get. The keys never reach a copy."""

    keys: frozenset[int]
    content: bytes


# Bytes that are ready for the wire, and between them the holes for a reader's values and the
# stretches that some readers get and others do not.
Piece = bytes | Hole | Stretch


def constant(piece: Piece) -> bytes:
    """Return what a piece brings into a copy whoever reads it, or at the most."""
    if isinstance(piece, bytes):
        return piece
    return piece.content if isinstance(piece, Stretch) else b""


def merged(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Join the constant bytes that stand next to each other."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def to_json(piece: Piece) -> Any:
    """Return a piece as JSON can hold it; `from_json` reads it back."""
    if isinstance(piece, bytes):
        return piece.decode("ascii")
    if isinstance(piece, Stretch):
        return {"only": sorted(piece.keys), "content": piece.content.decode("ascii")}
    return [piece.slot.value, piece.place.value, piece.fallback, piece.column]


def from_json(piece: Any) -> Piece:
    if isinstance(piece, str):
        return piece.encode("ascii")
    if isinstance(piece, dict):
        keys = frozenset(int(key) for key in piece["only"])
        return Stretch(keys, str(piece["content"]).encode("ascii"))
    slot, place, fallback, column = piece
    return Hole(Slot(str(slot)), Place(str(place)), fallback, int(column or 0))
