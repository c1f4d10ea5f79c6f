"""The lines of one process to its relays: opened, watched with epoll, replaced, closed."""

import logging
import select
import time
from collections import deque
from collections.abc import Iterable, Iterator

from newsletter.transports.errors import LineDown, Misconfigured, TransportError
from newsletter.transports.relay import Relay
from newsletter.transports.smtp.connect import connect
from newsletter.transports.smtp.lane import Lane, first_choice, next_lane
from newsletter.transports.smtp.line import Line
from newsletter.transports.smtp.opening import Openings

log = logging.getLogger(__name__)

# Seconds for which one relay's connection is waited for before the next relay is asked as well.
# Some greet late on purpose, and one that is dead may take five minutes to be known for it.
HEAD_START = 15.0
# Seconds to wait for the relays' farewells, all together.
FAREWELL = 2.0

# poll() counts in milliseconds, epoll in seconds.
_MILLISECOND = 0.001 if hasattr(select, "epoll") else 1


class Pool:
    """Lines, and which of them have room. Not thread-safe, but for `cut`."""

    def __init__(self, relays: Iterable[Relay]) -> None:
        self.lanes = [Lane(relay) for relay in relays]
        self._poll = _poller()
        self._lines: dict[int, Line] = {}
        # Lines with room, the one that has waited longest in front.
        self.free: deque[Line] = deque()
        self._openings = Openings()
        self._bell = -1

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._lines.values()))

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def has_room(self) -> bool:
        """Whether some line could take a message now."""
        return any(line.has_room for line in self.free)

    @property
    def is_opening(self) -> bool:
        """Whether a connection is being made aside."""
        return any(lane.opening for lane in self.lanes)

    # --- Opening ------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Connect to the first relay that can be had, and wait for it.

        Raises what the relays said if there is none. Those that are being left alone are not
        asked again: that would only cost time.
        """
        if len(self.lanes) > 1 and self._is_any_up(now):
            return
        while lane := next_lane(self.lanes, now):
            try:
                self._adopt(Line(*connect(lane.relay), lane))
                return
            except TransportError as error:
                log.warning("Relay %s: %s", lane.relay.where, error)
                lane.failed(error)
        troubles = [lane.trouble for lane in self.lanes if lane.trouble]
        passing = [error for error in troubles if not isinstance(error, Misconfigured)]
        # One relay that may come back is reason enough to wait.
        raise (passing or troubles or [LineDown("Every connection is in use.")])[0]

    def _is_any_up(self, now: float) -> bool:
        """Ask one relay after the other; whichever stands first has the mail. False if none does.

        Raises LineDown when all is being broken off meanwhile.
        """
        life, waiting = self._openings.life, list(self.lanes)
        while True:
            lane = next_lane(waiting, now)
            if lane is not None:
                waiting.remove(lane)
                self._openings.begin(lane)
            until = time.monotonic() + HEAD_START
            while self.is_opening and (lane is None or time.monotonic() < until):
                self.wait(100)
                if self._openings.life != life:
                    raise LineDown("broken off")
                if self.has_room:
                    return True
            if lane is None:
                return False

    def open_one_more(self, now: float) -> bool:
        """Connect aside, while the other lines go on. False if no relay takes more lines now."""
        lane = next_lane(self.lanes, now)
        if lane is not None:
            self._openings.begin(lane)
        return lane is not None

    def can_serve(self, now: float) -> bool:
        """Whether there is a line that still works, or some relay may be asked for one."""
        working = (line for line in self._lines.values() if not (line.deaf or line.leaving))
        return any(working) or next_lane(self.lanes, now) is not None

    def _adopt(self, line: Line) -> None:
        line.lane.lines += 1
        self._lines[line.fd] = line
        self._poll.register(line.fd, select.POLLIN)
        self.put_free(line)

    def _arrivals(self) -> None:
        for lane, arrived in self._openings.arrivals():
            if isinstance(arrived, TransportError):
                log.warning("Relay %s: %s", lane.relay.where, arrived)
                lane.failed(arrived)
            else:
                self._adopt(Line(*arrived, lane))

    # --- Using --------------------------------------------------------------------------

    def refresh(self, now: float) -> None:
        """Health before use: let go of what is worn, and of what a relay has closed meanwhile."""
        if self._bell < 0:
            self._bell = self._openings.listen()
            self._poll.register(self._bell, select.POLLIN)
        for line, _ in self.wait(0):
            line.read(now)
        for line in self:
            if line.is_over or (line.leaving and line.expire(now)):
                self.drop(line)
            elif line.is_worn(now) and not line.leaving:
                self.part(line, now)

    def take_free(self, now: float, *, freshest: bool = False) -> Line | None:
        """Return a line with room, which is then no longer free.

        `freshest` is for what another line ended with: of several that are as worn, the next one
        might end with it too.
        """
        if freshest and len(self.free) > 1:
            self.free = deque(sorted(self.free, key=lambda line: line.begun))
        held: list[Line] = []
        found = None
        while self.free and found is None:
            line = self.free.popleft()
            line.is_free = False
            if not line.is_worn(now):
                if line.has_room:
                    if line.lane.meter is None or not line.lane.wait():
                        found = line
                    else:
                        held.append(line)
            elif line.conversation.is_idle:
                self.part(line, now)
            else:
                # What is on it is finished first.
                line.retiring = True
        for line in held:
            self.put_free(line)
        return found

    def held_back(self, now: float) -> float:
        """Return for how many seconds the relays' own limits let nothing out; 0 when they do, or
        when it is something else. Another of the same priority may have room; one that only
        stands in for it is no way round its limit."""
        return min((lane.wait() for lane in first_choice(self.lanes, now)), default=0.0)

    def put_free(self, line: Line, *, first: bool = False) -> None:
        """Give back a line that has room (again)."""
        line.is_free = True
        if first:
            self.free.appendleft(line)
        else:
            self.free.append(line)

    def watch(self, line: Line) -> None:
        """Ask to be told when the socket takes more, only while something waits for that."""
        line.watched = line.is_writing
        if line.fd in self._lines:
            writing = select.POLLOUT if line.watched else 0
            self._poll.modify(line.fd, select.POLLIN | writing)

    def wait(self, milliseconds: int) -> list[tuple[Line, int]]:
        """Return the lines on which something happened, and what."""
        happened = []
        for fd, events in self._poll.poll(milliseconds * _MILLISECOND):
            line = self._lines.get(fd)
            if line is not None:
                happened.append((line, events))
            elif fd == self._bell:
                self._arrivals()
        return happened

    def wake(self) -> None:
        """End a `wait` at once. From any thread."""
        self._openings.ring()

    # --- Closing ------------------------------------------------------------------------

    def drop(self, line: Line) -> None:
        """Close it without a word."""
        if self._lines.pop(line.fd, None) is None:
            return
        self._poll.unregister(line.fd)
        if not line.leaving:
            line.lane.lines -= 1
        self._not_free(line)
        line.drop()

    def drop_all(self) -> None:
        """Close all of them without a word, and what was being opened."""
        for line in self:
            self.drop(line)
        self._put_away()

    def part(self, line: Line, now: float) -> None:
        """Take leave of an idle line; it closes when the relay has answered, or soon after."""
        self._not_free(line)
        # Another one may take its place from now on.
        line.lane.lines -= 1
        line.leave(now)
        if line.is_over:
            self.drop(line)
        else:
            self.watch(line)

    def part_from_all(self) -> None:
        """Take leave everywhere, and wait a moment for the answers."""
        self._put_away()
        now = time.monotonic()
        for line in self:
            if line.conversation.is_idle and not line.is_over:
                self.part(line, now)
            else:
                self.drop(line)
        until = now + FAREWELL
        while self._lines and now < until:
            for line, _ in self.wait(100):
                line.read(now)
                if line.is_over:
                    self.drop(line)
            now = time.monotonic()
        self.drop_all()

    def cut(self) -> None:
        """Let not one more byte go out on any line, nor a new one stand. From any thread."""
        self._openings.forget()
        for line in self:
            line.cut()
        self.wake()

    def _not_free(self, line: Line) -> None:
        if line.is_free:
            line.is_free = False
            self.free.remove(line)

    def _put_away(self) -> None:
        if self._bell >= 0:
            self._poll.unregister(self._bell)
            self._bell = -1
        self._openings.close()
        for lane in self.lanes:
            lane.opening = 0


def _poller() -> "select.epoll | select.poll":
    """epoll does not look at every line anew for each that has something to say: 2 µs a message
    with eight lines. A child after a fork leaves it alone, as it leaves the lines (`select`)."""
    return select.epoll() if hasattr(select, "epoll") else select.poll()
