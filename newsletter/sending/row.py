"""A delivery as the hot path holds it: a tuple, not a model."""

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
