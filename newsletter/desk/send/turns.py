"""Of a mailing that is being sent: whose turn is still to come, and when the last have had it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache
from django.db.models import Count, F, Sum
from django.utils import timezone

from newsletter.approval.schedule import LATE_FROM
from newsletter.desk.send.outlook import about, place_name, shares_from_today, when
from newsletter.sending import measured
from newsletter.sending.estimate import Job, ends
from newsletter.sending.hours import span_of
from newsletter.sending.models import Batch, Delivery, Mailing, Wave

_OPEN = F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown")
# How long a count of reasons is good for while more are being skipped.
REASONS_LAST = 15.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One wave, as far as it is."""

    where: str
    begins: str
    planned: int
    open: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is ahead of a mailing with turns or hours. `closed_until` says that nothing goes just
    now; `ends` and `where` when the last readers will have it."""

    turns: tuple[Turn, ...] = ()
    waiting: int = 0
    closed_until: str = ""
    ends: str = ""
    where: str = ""


def ahead_of(mailing: Mailing, rate: float | None) -> Ahead | None:
    """None for a mailing whose readers are alike and which goes day and night."""
    schedule = mailing.schedule
    if schedule is None or not (schedule.wall or schedule.window):
        return None
    now = timezone.now()
    waves = {wave.pk: wave for wave in mailing.waves.all()}
    rows = list(
        Batch.objects.filter(mailing=mailing)
        .order_by()
        .values_list("wave", "not_before")
        .annotate(number=Sum("planned"), left=Sum(_OPEN))
    )
    left = [(waves.get(wave), at or now, number) for wave, at, _all, number in rows if number]
    last = _last(mailing, left, rate or mailing.pace or measured.usual_pace(), now)
    next_at = min((at for _wave, at, _number in left), default=now)
    return Ahead(
        turns=tuple(_turns(waves, rows)),
        waiting=sum(number for _wave, at, number in left if at > now),
        closed_until=when(next_at) if left and next_at > now else "",
        ends=about(last[0]) if last else "",
        where=last[1] if last else "",
    )


def lateness(mailing: Mailing) -> str:
    """Say so when it began much later than it was to. "" otherwise."""
    schedule = mailing.schedule
    if schedule is None or mailing.created_at - schedule.send_at <= LATE_FROM:
        return ""
    return when(schedule.send_at)


def skipped_by_reason(mailing: Mailing, skipped: int) -> list[tuple[str, int]]:
    """Count anew only when more were skipped, and not at every look: it reads all rows."""
    if not skipped:
        return []
    key = f"mailing-skipped-{mailing.pk}"
    kept = cache.get(key)
    now = timezone.now().timestamp()
    if kept and (kept[0] == skipped or now - kept[1] < REASONS_LAST):
        found: dict[str, int] = kept[2]
    else:
        found = dict(
            Delivery.objects.filter(mailing=mailing)
            .filter(state=Delivery.State.SKIPPED)
            .order_by()
            .values_list("skip_reason")
            .annotate(number=Count("pk"))
        )
        cache.set(key, (skipped, now, found), timeout=3600)
    by_number = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return [(str(Delivery.SkipReason(reason).label), number) for reason, number in by_number]


def _last(
    mailing: Mailing,
    left: Sequence[tuple[Wave | None, datetime, int]],
    pace: float | None,
    now: datetime,
) -> tuple[datetime, str] | None:
    jobs = [
        Job(at, number, lambda at, wave=wave: span_of(mailing, wave, at))  # type: ignore[misc]
        for wave, at, number in left
    ]
    found = [
        (end, place_name(wave.clock) if wave else "")
        for end, (wave, _at, _number) in zip(
            ends(jobs, pace, now, shares_from_today()), left, strict=True
        )
        if end is not None
    ]
    if not found or len(found) < len(left):
        return None
    return max(found)


def _turns(
    waves: dict[int, Wave],
    rows: Sequence[tuple[int | None, datetime | None, int, int]],
) -> list[Turn]:
    found = []
    for wave in waves.values():
        mine = [(number, left) for pk, _at, number, left in rows if pk == wave.pk]
        if not mine:
            continue
        planned, left = (sum(part) for part in zip(*mine, strict=True))
        found.append(Turn(place_name(wave.clock), when(wave.begins_at), planned, left))
    return found
