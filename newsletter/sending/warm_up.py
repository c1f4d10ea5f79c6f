"""So many messages a day for a new domain or IP address, as staff planned it.

Counted is what workers take to send, in one row for each day (of TIME_ZONE), by the statement
that also keeps to the cap; what a killed worker had taken stays counted. A day on which nothing
went out does not move the plan on: a weekly newsletter would be through it without ever having
warmed up. Safety alerts are counted and never held back. Without a plan nothing is counted.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.sending.clock import steady
from newsletter.sending.models import SendingDay, WarmUp
from newsletter.sending.models.limits import daily_caps

# How long a process goes by what it has read of the plans.
LASTS = 5.0


@dataclass(frozen=True, slots=True)
class Today:
    """Where the plan stands."""

    plan: WarmUp
    cap: int
    taken: int
    # What tomorrow brings; None when the plan is then over.
    tomorrow: int | None
    goes_on_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.cap - self.taken)


@dataclass
class _Memory:
    day: date = date.min
    cap: int | None = None
    read_at: float = -LASTS


_memory = _Memory()


def forget() -> None:
    _memory.day, _memory.cap, _memory.read_at = date.min, None, -LASTS


def today() -> Today | None:
    """Return how far today's cap is used up; None when no plan counts today."""
    day = timezone.localdate()
    plan = WarmUp.objects.filter(begins_on__lte=day).first()
    if plan is None:
        return None
    before = SendingDay.objects.filter(day__gte=plan.begins_on, day__lt=day, taken__gt=0).count()
    caps = daily_caps(plan.caps)
    if before >= len(caps):
        return None
    row = SendingDay.objects.filter(day=day).first()
    goes_on_at = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
    # If nothing goes out today, tomorrow is today's step again; nobody waits for it then.
    tomorrow = caps[before + 1] if before + 1 < len(caps) else None
    return Today(plan, caps[before], row.taken if row else 0, tomorrow, goes_on_at)


def is_used_up() -> bool:
    """Whether nothing more of a mailing goes out today."""
    found = today()
    return found is not None and not found.left


def take(wanted: int, *, alert: bool = False) -> int:
    """Take up to so many messages out of today's cap. Returns how many may go."""
    cap = _cap()
    if cap is None or not wanted:
        return wanted
    with transaction.atomic():
        row, _ = SendingDay.objects.select_for_update().get_or_create(day=_memory.day)
        granted = wanted if alert else max(0, min(wanted, cap - row.taken))
        if granted:
            SendingDay.objects.filter(pk=row.pk).update(taken=F("taken") + granted)
    return granted


def give_back(messages: int) -> None:
    """Put back what was taken and then not used."""
    if messages > 0 and _memory.cap is not None:
        SendingDay.objects.filter(day=_memory.day, taken__gte=messages).update(
            taken=F("taken") - messages
        )


def _cap() -> int | None:
    day = timezone.localdate()
    if day != _memory.day or steady() - _memory.read_at >= LASTS:
        found = today()
        _memory.day, _memory.cap = day, found.cap if found else None
        _memory.read_at = steady()
    return _memory.cap
