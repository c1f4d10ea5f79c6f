"""What every way out promises. tests/transports/contract.py holds each of them to it."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from newsletter.transports.values import Envelope, Receipt


class Transport(Protocol):
    # Names the throttle's bucket and appears in logs and reports.
    name: str
    # Recorded as allowed to carry health data (invariant 11).
    allowed_for_health: bool

    def open(self) -> None:
        """Get ready to send. Raises LineDown or Misconfigured. Opening an open one does nothing."""

    def close(self) -> None:
        """Take leave politely. Never raises; closing a closed one does nothing."""

    def abort(self) -> None:
        """Drop the line without another byte: the lease is over (design.md, sending)."""

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[Receipt]:
        """Yield one receipt per envelope, in order; take the next envelope only then.

        Never raises for a refused recipient or a broken line. A connection lost after the
        content began to go out is UNKNOWN, before that TEMPORARY. Once the line cannot be had
        again, the remaining receipts are `about_the_line` and cost no waiting.
        """
        ...
