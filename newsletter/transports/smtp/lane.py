"""What is known of one relay just now: its lines, and whether it wants to be left alone."""

import time
from collections.abc import Iterable

from newsletter.transports.errors import LineDown, TransportError
from newsletter.transports.protocol import Meter, WayState
from newsletter.transports.relay import Relay
from newsletter.transports.values import Receipt

# Seconds to leave a relay alone after a failure; each further one doubles them.
FIRST_REST = 1.0
LONGEST_REST = 60.0
# Connections that may end without a message before that is taken for a failure of the relay.
FREE_FAILURES = 2
# So many messages it must take before it gets one more line again.
MESSAGES_PER_STEP = 200


class Lane:
    """One relay, as this process has found it."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        # Open, and being opened.
        self.lines = 0
        self.opening = 0
        # How many lines it may have now: fewer after it pushed back.
        self.most = relay.lines
        # Why there was no line the last time.
        self.trouble: TransportError | None = None
        # Keeps to the relay's own limits, where it has any.
        self.meter: Meter | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._taken = 0

    def wait(self) -> float:
        """Return 0 when a message may go by this relay, else for how many seconds none may."""
        return 0.0 if self.meter is None else self.meter.wait(self.relay)

    def may_open(self, now: float) -> bool:
        """Whether another line may be tried."""
        return self.lines + self.opening < self.most and not self.is_resting(now)

    def is_resting(self, now: float) -> bool:
        return now < self._rests_until

    def state(self, now: float) -> WayState:
        rests = max(0.0, self._rests_until - now)
        # What is over is no trouble any more.
        trouble = str(self.trouble) if self.trouble and self._failures else ""
        return WayState(self.relay.where, self.lines, rests, trouble, self.relay.rate)

    def failed(self, error: TransportError) -> None:
        """There is no line to be had: leave it alone for a while, longer each time."""
        self.trouble = error
        self._failures = max(self._failures, FREE_FAILURES)
        self._rest()

    def broke(self, receipt: Receipt) -> None:
        """A fresh line ended before its first message was answered, as `receipt` says."""
        error = LineDown(f"{self.relay.where}: {receipt.as_line()}")
        if receipt.about_the_line:
            if receipt.code == 421:
                # Too many lines, or too much mail: it gets fewer from now on.
                self.most = max(1, self.lines)
            self.failed(error)
        else:
            self.trouble = error
            self._rest()

    def took(self) -> None:
        """It answered a message: all is well, and a line that was taken away comes back."""
        if self._failures:
            self._failures = 0
            self._rests_until = 0.0
        if self.most < self.relay.lines:
            self._taken += 1
            if self._taken >= MESSAGES_PER_STEP:
                self._taken = 0
                self.most += 1

    def _rest(self) -> None:
        self._failures += 1
        excess = self._failures - FREE_FAILURES
        if excess > 0:
            rest = min(LONGEST_REST, FIRST_REST * 2 ** min(excess - 1, 10))
            self._rests_until = time.monotonic() + rest


def next_lane(lanes: Iterable[Lane], now: float) -> Lane | None:
    """Return the relay that gets the next line: of the first priority that is not away, the one
    with the fewest lines for its weight."""
    open_to = [lane for lane in first_choice(lanes, now) if lane.may_open(now)]
    # A line to one whose own limit is used up would only wait.
    open_to = [lane for lane in open_to if not lane.wait()] or open_to
    return min(
        open_to, key=lambda lane: (lane.lines + lane.opening) / lane.relay.weight, default=None
    )


def first_choice(lanes: Iterable[Lane], now: float) -> list[Lane]:
    """Return the relays of the first priority that is not away."""
    usable = [lane for lane in lanes if not lane.is_resting(now) or lane.lines]
    first = min((lane.relay.priority for lane in usable), default=0)
    return [lane for lane in usable if lane.relay.priority == first]
