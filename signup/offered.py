"""What can be signed up to today, as this process read it at most a second ago.

When hundreds sign up in a second, each would read the same few rows again. A form that is sent in
the second after staff close a newsletter is taken as if it had come in the second before. Only what
a sent form is checked against is remembered; every page that is shown reads anew.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from newsletter.catalogue.models import Condition, Newsletter, Publisher
from signup.models import ConsentText

T = TypeVar("T")
SECONDS = 1.0
# In a flood every condition's second ends by itself; so one question asks anew for all that were
# read in so many seconds.
LATELY = 5
# Of what a visitor can name only so much is remembered; far more than any catalogue holds.
AT_MOST = 2_000


class _Remembered(Generic[T]):
    """Values by key, each good for SECONDS. Threads may read one twice; none reads an old one."""

    def __init__(self) -> None:
        self._found: dict[Any, tuple[float, T]] = {}

    def get(self, key: Any) -> T | None:
        at, value = self._found.get(key, (0.0, None))
        return value if value is not None and time.monotonic() - at < SECONDS else None

    def lately(self) -> list[Any]:
        """Return the keys whose values were read in the last few seconds."""
        since = time.monotonic() - LATELY * SECONDS
        return [key for key, (at, _value) in list(self._found.items()) if at > since]

    def put(self, key: Any, value: T, *, read_at: float) -> T:
        if len(self._found) >= AT_MOST:
            self._found = {}
        self._found[key] = (read_at, value)
        return value

    def forget(self) -> None:
        self._found = {}

    def __len__(self) -> int:
        return len(self._found)

    def get_or(self, key: Any, read: Callable[[], T]) -> T:
        found = self.get(key)
        if found is not None:
            return found
        # The time before the question, so that no change made while it is asked is missed.
        read_at = time.monotonic()
        return self.put(key, read(), read_at=read_at)


_newsletters: _Remembered[tuple[Newsletter, ...]] = _Remembered()
_conditions: _Remembered[Condition] = _Remembered()
# What a form on another web site offers, by the form's number.
_embedded: _Remembered[tuple[Condition, ...]] = _Remembered()
_publisher: _Remembered[str] = _Remembered()
_texts: _Remembered[tuple[ConsentText, ...]] = _Remembered()


def forget() -> None:
    """Read everything anew: another database stands behind the same keys."""
    for remembered in (_newsletters, _conditions, _embedded, _publisher, _texts):
        remembered.forget()


def newsletters() -> tuple[Newsletter, ...]:
    """Return the newsletters that are open for sign-up."""
    return _newsletters.get_or(
        "open", lambda: tuple(Newsletter.objects.filter(open_for_signup=True))
    )


def conditions(slugs: Iterable[str]) -> list[Condition]:
    """Return those of `slugs` that can be followed; of hundreds only these are read."""
    remembered = {slug: _conditions.get(slug) for slug in slugs}
    found = {slug: condition for slug, condition in remembered.items() if condition is not None}
    if missing := remembered.keys() - found.keys():
        read_at = time.monotonic()
        asked = missing.union(_conditions.lately())
        rows = Condition.objects.open().filter(slug__in=asked).only("slug", "name", "group")
        read = {row.slug: _conditions.put(row.slug, row, read_at=read_at) for row in rows}
        found |= {slug: read[slug] for slug in missing if slug in read}
    return [found[slug] for slug in remembered if slug in found]


def embedded(form_id: int, read: Callable[[], tuple[Condition, ...]]) -> tuple[Condition, ...]:
    """Return the conditions of a form on another web site; `read` asks for them."""
    return _embedded.get_or(form_id, read)


def publisher_name() -> str:
    """Return the name that stands beside the boxes."""
    return _publisher.get_or("name", lambda: Publisher.current().name)


def texts(ids: tuple[int, ...]) -> tuple[ConsentText, ...]:
    """Return the wordings that a form showed, by the ids in its token.

    Approved ones never change and never go (triggers refuse it), so no remembered one is wrong.
    Which are today's is not asked here: see signup.consent.current_texts.
    """
    return _texts.get_or(ids, lambda: tuple(ConsentText.objects.filter(pk__in=ids)))
