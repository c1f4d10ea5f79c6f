"""Who keeps what about a reader.

Each station that keeps rows about readers registers one holder in `AppConfig.ready()`. So "my
record", export and erasure know every table, and signup need not know the stations after it. A
test fails when a model that leads to a reader is named by no holder.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from signup.models import Subscriber


class Kind(Enum):
    """What a line of "my record" is about."""

    MAIL = "mail"
    CONSENT = "consent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of "my record", in words for the reader. `why` says what a mail rested on."""

    at: datetime
    what: str
    why: str = ""
    kind: Kind = Kind.OTHER


class Holder(Protocol):
    """What a station promises for its tables."""

    # "sending", "outcomes": the name of its part of the export.
    name: str
    # The models it answers for, as labels: ("sending.Delivery", "sending.DigestMark").
    models: tuple[str, ...]

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        """Return what a reader should see of it."""
        ...

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        """Return all of it, as values that JSON knows (GDPR Art. 15 and 20)."""
        ...

    def erase(self, subscriber: Subscriber) -> None:
        """Delete or empty it, inside the caller's transaction. Counts must still balance."""
        ...


_holders: dict[str, Holder] = {}


def register(holder: Holder) -> None:
    """Add a holder. Registering a name again replaces it, so that ready() may run twice."""
    _holders[holder.name] = holder


def holders() -> Iterator[Holder]:
    """Yield every holder in the order of their names, which fixes the order of the export."""
    for name in sorted(_holders):
        yield _holders[name]
