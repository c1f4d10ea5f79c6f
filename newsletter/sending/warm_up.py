"""So many messages a day for a new domain or IP address, as staff planned it.

A plan counts for everything that leaves, or for one relay of EMAIL_URL, whose address is new; the
newest one that has begun counts. Counted is what workers take to send, in one row for each day (of
TIME_ZONE) and relay, by the statement that also keeps to the cap; what a killed worker had taken
stays counted. A day on which nothing went out does not move the plan on: a weekly newsletter would
be through it without ever having warmed up. Safety alerts are counted and never held back. Without
a plan nothing is counted.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from newsletter.sending.clock import steady
from newsletter.sending.models import SendingDay, WarmUp
from newsletter.sending.models.limits import daily_caps
from newsletter.transports.select import relays_in_settings

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
    # Today's cap of each relay that has one; "" is everything that leaves.
    caps: dict[str, int] = field(default_factory=dict)
    read_at: float = -LASTS


_memory = _Memory()


def forget() -> None:
    _memory.__init__()  # type: ignore[misc]


def today(relay: str = "") -> Today | None:
    """Return how far today's cap is used up; None when no plan counts today."""
    day = timezone.localdate()
    plan = WarmUp.objects.filter(begins_on__lte=day, relay=relay).first()
    if plan is None:
        return None
    days = SendingDay.objects.filter(relay=relay)
    before = days.filter(day__gte=plan.begins_on, day__lt=day, taken__gt=0).count()
    caps = daily_caps(plan.caps)
    if before >= len(caps):
        return None
    row = days.filter(day=day).first()
    goes_on_at = timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))
    # If nothing goes out today, tomorrow is today's step again; nobody waits for it then.
    tomorrow = caps[before + 1] if before + 1 < len(caps) else None
    return Today(plan, caps[before], row.taken if row else 0, tomorrow, goes_on_at)


def every_plan() -> list[Today]:
    """Return how far each plan that counts today is: first that for everything, then by relay."""
    relays = WarmUp.objects.filter(begins_on__lte=timezone.localdate()).order_by("relay")
    found = map(today, relays.values_list("relay", flat=True).distinct())
    return [one for one in found if one is not None]


def are_planned(relays: Collection[str]) -> bool:
    """Whether a plan counts today for one of these relays."""
    return not _caps().keys().isdisjoint(relays)


def is_used_up() -> bool:
    """Whether nothing more of a mailing goes out today: the cap on everything is used up, or that
    of each relay."""
    used_up = {one.plan.relay for one in every_plan() if not one.left}
    if "" in used_up or not used_up:
        # What EMAIL_URL says is asked only where it matters: when it cannot be read, the batch
        # that is sent says so, and its mailing is paused.
        return "" in used_up
    relays = relays_in_settings()
    return bool(relays) and used_up.issuperset(relays)


def take(wanted: int, *, alert: bool = False, relay: str = "") -> int:
    """Take up to so many messages out of today's cap. Returns how many may go."""
    cap = _caps().get(relay)
    if cap is None or not wanted:
        return wanted
    with transaction.atomic():
        row, _ = SendingDay.objects.select_for_update().get_or_create(day=_memory.day, relay=relay)
        granted = wanted if alert else max(0, min(wanted, cap - row.taken))
        if granted:
            SendingDay.objects.filter(pk=row.pk).update(taken=F("taken") + granted)
    return granted


def give_back(messages: int, relay: str = "") -> None:
    """Put back what was taken and then not used."""
    if messages > 0 and relay in _memory.caps:
        SendingDay.objects.filter(day=_memory.day, relay=relay, taken__gte=messages).update(
            taken=F("taken") - messages
        )


def _caps() -> dict[str, int]:
    day = timezone.localdate()
    if day != _memory.day or steady() - _memory.read_at >= LASTS:
        _memory.caps = {one.plan.relay: one.cap for one in every_plan()}
        _memory.day, _memory.read_at = day, steady()
    return _memory.caps
