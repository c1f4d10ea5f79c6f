"""When the last readers will have it: turns, hours, the day's share and the pace, reckoned through.

Values in, instants out. Nothing here is exact to the minute, and nothing says so to staff.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from newsletter.approval.timing import Span

# Further ahead than this an estimate is no use to anybody.
FURTHEST = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Job:
    """So many readers whose turn it is from `begins_at`.

    `span` gives the open hours at an instant, or the next ones; None for a mailing that goes day
    and night. `pace` is their own, for a domain that is mailed more slowly.
    """

    begins_at: datetime
    readers: int
    span: Callable[[datetime], Span | None] = lambda _at: None
    pace: float | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """How many may go each day, while a warm-up plan counts. A day that is not named has no cap."""

    left: Mapping[date, int] = field(default_factory=dict)


def ends(
    jobs: Iterable[Job], pace: float | None, now: datetime, shares: Shares | None = None
) -> list[datetime | None]:
    """Return for each job when its last reader will have had their turn; None: nobody can know.

    Jobs without a pace of their own share `pace`, in the order of their turns; the others go
    beside them.
    """
    left = dict(shares.left) if shares else {}
    asked = list(jobs)
    found: dict[int, datetime | None] = {}
    free = now
    for number, job in sorted(enumerate(asked), key=lambda one: one[1].begins_at):
        begins = max(now, job.begins_at)
        if job.pace is not None:
            found[number] = _end(job, job.pace, begins, {}, now)
            continue
        end = _end(job, pace, max(begins, free), left, now)
        found[number] = end
        free = end or free
    return [found[number] for number in range(len(asked))]


def _end(
    job: Job, pace: float | None, at: datetime, shares: dict[date, int], now: datetime
) -> datetime | None:
    if not pace or pace <= 0:
        return None
    left = float(job.readers)
    while left > 0:
        if at - now > FURTHEST:
            return None
        span = job.span(at)
        if span is not None:
            at = max(at, span.opens)
        day = timezone.localdate(at)
        most = left
        if day in shares:
            if shares[day] < 1:
                at = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
                continue
            most = min(most, shares[day])
        if span is not None:
            most = min(most, pace * (span.closes - at).total_seconds())
        at += timedelta(seconds=most / pace)
        left -= most
        if day in shares:
            shares[day] -= round(most)
        if left < 0.5:
            return at
        if span is not None and span.closes - at < timedelta(seconds=1):
            at = span.closes
    return at
