"""A delivery as the hot path holds it: a tuple, not a model."""

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """A delivery with what its copy needs to know of the reader."""

    pk: int
    place: int
    subscriber: int
    edition: int
    attempt: int
    resent: bool
    email: str
    first_name: str
    language: str
    timezone: str
    text_only: bool
    subscription: int
    article_ids: list[int] | None


def step_end(rows: Sequence[Row], start: int, size: int) -> int:
    """Return where the step that begins at `start` ends: before the next step's first row.

    One that is sent a second time has no third chance, so it goes as a step of its own: should
    this worker be killed too, no other copy becomes unknown for good with it.
    """
    end = start + 1
    if rows[start].resent:
        return end
    while end < len(rows) and end - start < size and not rows[end].resent:
        end += 1
    return end
