"""All steps of the demo's content, in their order. Each makes what is missing and nothing else,
so that a second run changes nothing and an interrupted one is finished by the next."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from newsletter.management.demo import (
    articles,
    mailings,
    publications,
    readers,
    staff,
    wordings,
)


class Made(NamedTuple):
    what: str
    number: int


_STEPS: tuple[tuple[str, Callable[[], int]], ...] = (
    ("staff accounts", staff.make),
    ("approved wordings", wordings.approve),
    ("publisher", publications.make_publisher),
    ("newsletters", publications.make_newsletters),
    ("conditions", publications.make_conditions),
    ("articles", articles.make),
    ("readers", readers.make),
    ("issues", mailings.make_issues),
    ("first digests", mailings.plan_first_digests),
    ("readers who left", readers.let_leave),
)


def seed() -> Iterator[Made]:
    """Run the steps, yielding what each has made."""
    for what, step in _STEPS:
        yield Made(what, step())
