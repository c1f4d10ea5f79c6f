"""What a choice of time means, in plain words: which readers when, and when the last have it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import redis
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.approval.clocks import zone
from newsletter.approval.timing import Timing
from newsletter.sending import measured, warm_up, waves
from newsletter.sending.brakes import slowed_domains
from newsletter.sending.dry_run import Audience
from newsletter.sending.estimate import Job, Shares, ends
from newsletter.sending.models import DomainLimit
from newsletter.sending.models.limits import daily_caps

log = logging.getLogger(__name__)

MOST_TURNS = 12


@dataclass(frozen=True, slots=True)
class TurnInWords:
    where: str
    readers: int
    # By the readers' clocks, and by whose who looks at the page.
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Outlook:
    begins: str
    turns: tuple[TurnInWords, ...]
    more_turns: int
    # When the last reader will have it; "" when nobody can know yet.
    ends: str
    # Messages a second that this reckons with.
    pace: float | None
    notes: tuple[str, ...]


def outlook(timing: Timing, audience: Audience) -> Outlook:
    """Reckon through what would happen. Writes nothing."""
    now = timezone.now()
    found = waves.turns(timing, audience.zones)
    pace = measured.usual_pace()
    jobs = [
        Job(
            turn.begins_at,
            turn.readers,
            lambda at, clock=turn.clock: timing.span(at, zone(clock)),  # type: ignore[misc]
        )
        for turn in found
    ]
    first = min((turn.begins_at for turn in found), default=now)
    slow = slower_than(audience.slowed, pace)
    last = [
        *ends(jobs, pace, now, shares_from_today()),
        *ends(
            [
                Job(first, number, lambda at: timing.span(at, zone(timing.zone)), rate)
                for number, rate in slow.values()
            ],
            pace,
            now,
        ),
    ]
    known = [end for end in last if end is not None]
    end = max(known) if known and len(known) == len(last) else None
    shown = [_turn(timing, turn) for turn in found] if timing.needs_waves else []
    return Outlook(
        begins=when(first),
        turns=tuple(shown[:MOST_TURNS]),
        more_turns=max(0, len(shown) - MOST_TURNS),
        ends=about(end) if end and audience.readers else "",
        pace=pace,
        notes=tuple(_notes(timing, slow)),
    )


def slower_than(readers: Mapping[str, int], pace: float | None) -> dict[str, tuple[int, float]]:
    """Return how many readers at domains that get mail more slowly, and how fast those do."""
    rates = domain_rates()
    return {
        domain: (number, rates[domain])
        for domain, number in readers.items()
        if domain in rates and (pace is None or rates[domain] < pace)
    }


def domain_rates() -> dict[str, float]:
    """Messages a second by domain: what staff allow, or less where a domain asked for patience."""
    rates = dict(DomainLimit.objects.values_list("domain", "per_second"))
    try:
        for domain, rate in slowed_domains().items():
            rates[domain] = min(rate, rates.get(domain, rate))
    except redis.RedisError as error:
        log.info("What stands in the limits is the best guess: %s", error)
    return rates


def shares_from_today() -> Shares:
    """What a warm-up plan leaves for today and the days after, if something goes on each."""
    today = warm_up.today()
    if today is None:
        return Shares()
    caps = daily_caps(today.plan.caps)
    step = caps.index(today.cap) if today.tomorrow is None else _step(caps, today)
    day = timezone.localdate()
    left = {day: today.left}
    for ahead, cap in enumerate(caps[step + 1 :], start=1):
        left[day + timedelta(days=ahead)] = cap
    return Shares(left)


def when(at: datetime) -> str:
    """By the clock of who looks at the page: “today at 14:20”."""
    return _on(timezone.localtime(at), timezone.localdate())


def about(at: datetime) -> str:
    """The same, no more exact than it can be."""
    minutes = 5 if at - timezone.now() > timedelta(minutes=20) else 1
    local = timezone.localtime(at) + timedelta(minutes=minutes / 2)
    rounded = local.replace(minute=local.minute - local.minute % minutes, second=0, microsecond=0)
    return _on(rounded, timezone.localdate())


def _on(local: datetime, today: date) -> str:
    time = date_format(local, "H:i")
    if local.date() == today:
        return _("today at %(time)s") % {"time": time}
    if local.date() == today + timedelta(days=1):
        return _("tomorrow at %(time)s") % {"time": time}
    return _("on %(day)s at %(time)s") % {"day": date_format(local, "l, j F"), "time": time}


def place_name(name: str) -> str:
    """“Pacific/Honolulu” is Honolulu to people."""
    return name.rpartition("/")[2].replace("_", " ")


def _turn(timing: Timing, turn: waves.Turn) -> TurnInWords:
    others = len(turn.zones) - 1
    where = place_name(turn.clock)
    if others > 0:
        where = ngettext(
            "%(where)s and %(n)d more zone", "%(where)s and %(n)d more zones", others
        ) % {"where": where, "n": others}
    theirs = turn.begins_at.astimezone(zone(turn.clock))
    return TurnInWords(where, turn.readers, date_format(theirs, "D j M, H:i"), when(turn.begins_at))


def _notes(timing: Timing, slow: Mapping[str, tuple[int, float]]) -> list[str]:
    found = []
    if timing.wall is not None:
        found.append(
            _(
                "Whose clock showed the time already gets it at once, if that was not more than "
                "six hours ago, and the next day at that time otherwise. Readers who never told "
                "us their time zone go by the clock in %(zone)s."
            )
            % {"zone": place_name(timing.zone)}
        )
    if timing.window is not None:
        found.append(_("Outside these hours it waits, and goes on when they begin again."))
    found += [
        ngettext(
            "%(n)d reader at %(domain)s, which gets mail more slowly.",
            "%(n)d readers at %(domain)s, which gets mail more slowly.",
            number,
        )
        % {"n": number, "domain": domain}
        for domain, (number, _rate) in sorted(slow.items())
    ]
    today = warm_up.today()
    if today is not None:
        found.append(
            _("A warm-up plan counts: %(left)d more messages may go today, of %(cap)d.")
            % {"left": today.left, "cap": today.cap}
        )
    return found


def _step(caps: list[int], today: warm_up.Today) -> int:
    """At which of its steps the plan stands: what today and tomorrow bring says it."""
    for at, cap in enumerate(caps[:-1]):
        if cap == today.cap and caps[at + 1] == today.tomorrow:
            return at
    return len(caps) - 1
