"""What may not stand beside what (standards I3, I5)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

# What asks readers for their money, or is paid for.
ASKING = frozenset({"sponsor", "appeal", "publication"})
_Row = Sequence[tuple[int, str]]


def asking_beside_emergency(body: Any) -> list[int]:
    """Return the places of what asks for money right before or after an emergency box.

    A divider between them does not part them. A part for followers is there in some copies and
    missing from others, so both must hold: with it and without it.
    """
    with_parts: list[tuple[int, str]] = []
    without: list[tuple[int, str]] = []
    for place, block in enumerate(body):
        if block.block_type == "only_for":
            with_parts += [(place, child.block_type) for child in block.value["content"]]
        elif block.block_type != "divider":
            with_parts.append((place, block.block_type))
            without.append((place, block.block_type))
    return sorted({*_beside(with_parts), *_beside(without)})


def _beside(row: _Row) -> Iterator[int]:
    for (place, kind), (next_place, next_kind) in pairwise(row):
        if kind in ASKING and next_kind == "emergency":
            yield place
        elif kind == "emergency" and next_kind in ASKING:
            yield next_place
