"""When an issue's readers may get it: at once, at an instant, or when their own clocks show a time;
and, if staff wish so, only between certain hours. Values and arithmetic, no rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from newsletter.approval.clocks import instant_of, zone

# Whose clock showed the time already when it was set gets the issue at once, if it was not longer
# ago than this; else when it shows that time the next day.
LATE = timedelta(hours=6)
# What a reader's row says who never told us a zone: those go by the publisher's clock.
UNTOLD = "UTC"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Open from, and until. Instants, in UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Between two full hours of each day: 8 and 20. `by_reader`: by each reader's own clock."""

    opens: int
    closes: int
    by_reader: bool = False

    def span(self, at: datetime, where: tzinfo) -> Span:
        """Return the stretch that is open at `at`, or else the next one, by clocks in `where`."""
        day = at.astimezone(where).date() - _DAY
        while True:
            midnight = datetime.combine(day, time())
            opens = instant_of(midnight + timedelta(hours=self.opens), where)
            closes = instant_of(midnight + timedelta(hours=self.closes), where)
            # A day that a zone leaves out altogether has no hours at all.
            if closes > at and closes > opens:
                return Span(opens, closes)
            day += _DAY


@dataclass(frozen=True, slots=True)
class Timing:
    """What a sender chose.

    `send_at` is the first instant at which anything goes. `wall` is set when readers' own clocks
    decide. `zone` is the clock that the sender had before them, by which the hours of a window
    are meant and which stands in for readers who never told us theirs. `set_at` is when it was
    chosen: what had passed then is judged by that moment, however late the server begins.
    """

    send_at: datetime
    zone: str
    set_at: datetime
    wall: datetime | None = None
    window: Window | None = None

    @property
    def needs_waves(self) -> bool:
        """Whether not all readers are alike."""
        return self.wall is not None or (self.window is not None and self.window.by_reader)

    def clock_of(self, reader_zone: str) -> tzinfo:
        """By which clock a reader of that zone lives."""
        return zone(self.zone if reader_zone in ("", UNTOLD) else reader_zone)

    def begins(self, where: tzinfo) -> datetime:
        """When readers with clocks in `where` may get it, before any window is looked at."""
        if self.wall is None:
            return self.send_at
        at = instant_of(self.wall, where)
        if at < self.set_at - LATE:
            at = instant_of(self.wall + _DAY, where)
        return max(at, self.set_at)

    def span(self, at: datetime, where: tzinfo) -> Span | None:
        """Return the stretch of the window in which somebody whose turn is at `at` gets it; None
        without a window."""
        if self.window is None:
            return None
        return self.window.span(at, where if self.window.by_reader else zone(self.zone))


def first_instant(timing: Timing, zones: Iterable[str]) -> datetime:
    """Return when the first readers of `zones` may get it."""
    if timing.wall is None:
        return timing.send_at
    clocks = {timing.clock_of(name) for name in zones} or {zone(timing.zone)}
    return min(timing.begins(where) for where in clocks)
