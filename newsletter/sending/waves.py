"""Whose turn is when: readers whose clocks go alike, as waves of one mailing."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.db.models import Count, QuerySet

from newsletter.approval.timing import Timing
from newsletter.sending.models import Mailing, Wave
from signup.models import Subscription

# For so long after their turn clocks must go alike, so that the hours of a window are the same
# for all of a wave: as long as anything of a mailing is tried again, and a day.
ALIKE_DAYS = 6


@dataclass(frozen=True, slots=True)
class Turn:
    """So many readers, whose turn it is from `begins_at` on (a window's hours looked at).

    `clock` is the zone that most of them live in; `zones` are all.
    """

    begins_at: datetime
    closes_at: datetime | None
    clock: str
    zones: tuple[str, ...]
    readers: int


def readers_by_zone(audience: "QuerySet[Subscription]") -> dict[str, int]:
    """Return how many readers have told us each zone. One look at the whole audience."""
    rows = audience.order_by().values_list("subscriber__timezone").annotate(number=Count("pk"))
    return dict(rows)


def turns(timing: Timing, readers: Mapping[str, int]) -> list[Turn]:
    """Return who gets it when, earliest first; one turn where all readers are alike."""
    if not timing.needs_waves:
        return [_turn(timing, timing.clock_of(""), {timing.zone: sum(readers.values())})]
    alike: defaultdict[object, dict[str, int]] = defaultdict(dict)
    for name, number in readers.items():
        alike[_likeness(timing, timing.clock_of(name))][name] = number
    found = [_turn(timing, timing.clock_of(next(iter(group))), group) for group in alike.values()]
    return sorted(found, key=lambda turn: (turn.begins_at, turn.clock))


def write_waves(mailing: Mailing, audience: "QuerySet[Subscription]") -> None:
    """Note the waves of a mailing that is being made; nothing for one whose readers are alike."""
    timing = mailing.schedule.timing if mailing.schedule else None
    if timing is None or not timing.needs_waves:
        return
    found = turns(timing, readers_by_zone(audience))
    rest = _turn(timing, timing.clock_of(""), {timing.zone: 0})
    Wave.objects.bulk_create(
        Wave(
            mailing=mailing,
            place=place,
            zones=list(turn.zones) if place < len(found) else [],
            clock=turn.clock,
            begins_at=turn.begins_at,
            closes_at=turn.closes_at,
        )
        for place, turn in enumerate([*found, rest])
    )


def _likeness(timing: Timing, where: tzinfo) -> object:
    begins = timing.begins(where)
    if timing.window is None or not timing.window.by_reader:
        return begins
    days = (begins + timedelta(days=day) for day in range(ALIKE_DAYS))
    return begins, tuple(day.astimezone(where).utcoffset() for day in days)


def _turn(timing: Timing, where: tzinfo, group: Mapping[str, int]) -> Turn:
    begins = timing.begins(where)
    span = timing.span(begins, where)
    clock = max(group, key=lambda name: (group[name], name))
    return Turn(
        max(begins, span.opens) if span else begins,
        span.closes if span else None,
        str(timing.clock_of(clock)),
        tuple(sorted(group)),
        sum(group.values()),
    )
