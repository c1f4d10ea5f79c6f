"""What every way out promises. tests/transports/test_contract.py holds each of them to it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from newsletter.transports.relay import Relay
from newsletter.transports.values import Envelope, Receipt


class Outgoing(NamedTuple):
    """One message to be sent. `key` is the caller's own, and comes back with the answer."""

    key: int
    envelope: Envelope
    # Called with the key just before the content's first byte may leave, by a transport that
    # `announces_content`: so a sender who keeps a journal knows what certainly did not go out.
    begins: Callable[[int], None] | None = None


class Answered(NamedTuple):
    key: int
    receipt: Receipt


class WayState(NamedTuple):
    """One relay or provider, as this process has found it."""

    where: str
    # Connections that stand.
    lines: int
    # Seconds for which it is left alone.
    rests: float = 0.0
    # Why there was no connection the last time; "" when all is well.
    trouble: str = ""
    # Messages a second at most that it is meant to get; 0 for any number.
    rate: float = 0.0


class Meter(Protocol):
    """What a relay of its own limit may carry just now: asked before each message."""

    def wait(self, relay: Relay) -> float:
        """Return 0 when one more message may go by it, else seconds until it may be asked again."""
        ...

    def used(self, relay: Relay) -> None:
        """One message goes by it; `wait` said 0 just before."""
        ...


class Transport(Protocol):
    # Names the throttle's bucket and appears in logs and reports.
    name: str
    # Recorded as allowed to carry health data (invariant 11).
    allowed_for_health: bool
    # Whether it calls `Outgoing.begins`. Of one that does not, whatever it took may have gone out.
    announces_content: bool

    @property
    def lines(self) -> int:
        """How many connections at most: each has at most one message whose content is under way
        (what a killed worker leaves unknown), and one more whose recipient is being asked for.
        """
        ...

    def states(self) -> list[WayState]:
        """Return how it is with each relay, for staff to see."""
        ...

    @property
    def relays(self) -> Sequence[Relay]:
        """The relays that it may use; none where there is a provider instead."""
        ...

    def limit(self, meter: Meter | None) -> None:
        """Ask `meter` before each message from now on. Without relays that does nothing."""

    def open(self) -> None:
        """Get ready to send. Raises LineDown or Misconfigured. Opening an open one does nothing."""

    def close(self) -> None:
        """Take leave politely. Never raises; closing a closed one does nothing."""

    def abort(self) -> None:
        """Drop every line without another byte: the lease is over (design.md, sending).

        May be called while a `send` is going on: that one then answers what it took, TEMPORARY
        (`about_the_line`) for what certainly was not sent and UNKNOWN for what may have gone, and
        ends. From any thread.
        """

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        """Yield exactly one answer for each message taken, in the order in which they come.

        Takes the next message only when a line has room for it, so that little time passes
        between the caller's last look at a reader and the first byte. `None` means that nothing
        is ready this instant: the lines are driven on, and `outgoing` is asked again within
        milliseconds. Ends when `outgoing` is exhausted and all that was taken is answered. The
        lines stay open for the next call.

        Never raises for a refused recipient or a broken line. A connection lost after the
        content began to go out is UNKNOWN, before that TEMPORARY. Once no line can be had, the
        remaining answers are `about_the_line` and cost no waiting. When whoever iterates breaks
        off (closes the generator), lines with something on them are dropped.
        """
        ...


def send_in_order(transport: Transport, envelopes: Sequence[Envelope]) -> list[Receipt]:
    """Return a receipt for each of a few envelopes, in their order."""
    answers = dict(transport.send([Outgoing(*pair) for pair in enumerate(envelopes)]))
    return [answers[key] for key in range(len(envelopes))]
