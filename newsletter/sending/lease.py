"""How long a worker may go on without asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from newsletter.sending.clock import steady


@dataclass(slots=True)
class Lease:
    """Counted from *before* the statement that took or renewed it, so that this worker's view
    always ends before the database's (design.md, sending). Once half of it is gone, not another
    byte is sent before it is renewed (run.py)."""

    seconds: float
    since: float

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Count from here on, if the block, which renews the lease in the database, succeeds."""
        asked = steady()
        yield
        self.since = asked
