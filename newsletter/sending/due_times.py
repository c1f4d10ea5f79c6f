"""When a reader's next digest is due: wall time and IANA zone in, an instant in UTC out.

The reader says "Monday at 8", and means the clock on the wall. So the instant is worked out
late, from the rules of the zone, and every edge of daylight saving has one answer:

- a time that the clock skips comes as much later as the clock was moved (2:30 on the night
  when 2:00 becomes 3:00 comes at 3:30; the same hour of Samoa's missing 30 December 2011
  comes on the 31st, and once);
- a time that the clock repeats comes the first time only.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import NamedTuple

from newsletter.approval.clocks import zone
from signup.models import Subscription

Cadence = Subscription.Cadence


class Rhythm(NamedTuple):
    """How often a reader wants the digest, and by whose clock."""

    cadence: str
    weekday: int
    hour: int
    timezone: str


def next_due(rhythm: Rhythm, after: datetime) -> datetime:
    """Return the first due instant of `rhythm` that is later than `after`, in UTC.

    As it happens: the next full hour, so that what appears within an hour shares one mail.
    Daily: at the reader's hour. Weekly: on the reader's weekday. Monthly: on the first such
    weekday of the month (each month has one, which is not true of the 29th to the 31st).
    """
    if rhythm.cadence == Cadence.IMMEDIATE:
        return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    where = zone(rhythm.timezone)
    at = time(rhythm.hour)
    instants = (
        datetime.combine(day, at, where).astimezone(UTC)
        for day in _days(rhythm, after.astimezone(where).date())
    )
    return next(instant for instant in instants if instant > after)


def _days(rhythm: Rhythm, today: date) -> Iterator[date]:
    """Yield the days of the rhythm in order, beginning safely before `today`.

    Before, because a clock set back across midnight can bring a day that has already begun
    a second time.
    """
    if rhythm.cadence == Cadence.MONTHLY:
        months = today.year * 12 + today.month - 2
        for month in count(months):
            yield _first_weekday(month // 12, month % 12 + 1, rhythm.weekday)
    step = 7 if rhythm.cadence == Cadence.WEEKLY else 1
    begin = today - timedelta(days=step)
    if rhythm.cadence == Cadence.WEEKLY:
        begin += timedelta(days=(rhythm.weekday - begin.weekday()) % 7)
    for days in count(0, step):
        yield begin + timedelta(days=days)


def _first_weekday(year: int, month: int, weekday: int) -> date:
    first = calendar.weekday(year, month, 1)
    return date(year, month, 1 + (weekday - first) % 7)
