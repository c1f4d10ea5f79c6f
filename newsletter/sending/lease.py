"""How long a worker may go on without asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from newsletter.sending.clock import steady


@dataclass(slots=True)
class Lease:
    """Counted from *before* the statement that took or renewed it, so that this worker's view
    always ends before the database's (design.md, sending)."""

    seconds: float
    since: float

    @property
    def is_half_gone(self) -> bool:
        """True when not another byte may be sent before the lease is renewed."""
        return steady() - self.since >= self.seconds / 2

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Count from here on, if the block, which renews the lease in the database, succeeds."""
        asked = steady()
        yield
        self.since = asked
