"""What staff are woken for: told once when it begins and once when it is over."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from newsletter.sending import warm_up
from newsletter.sending.balance import counts
from newsletter.sending.broker import client
from newsletter.sending.models import Alarm, Batch, Mailing
from newsletter.sending.sightings import Sighting, sightings, ways_down, ways_up
from newsletter.transports.errors import Misconfigured
from newsletter.transports.select import relays_in_settings

Kind = Alarm.Kind
_PROGRESS = "wellread:progress:"
# Nobody is told any more of what is older than this.
NEWS_LASTS = timedelta(days=1)


class Trouble(NamedTuple):
    kind: Alarm.Kind
    about: str
    text: str


def watch(now: datetime | None = None, others: Iterable[Trouble] = ()) -> list[Alarm]:
    """Begin an alarm for each trouble that is new, end those that are over. Returns the alarms of
    which somebody has still to be told (`news.tell`). Raises RedisError: nothing is known then.

    `others` are what later stations know of.
    """
    now = now or timezone.now()
    seen = sightings()
    troubles = (*_troubles(now, seen), *others)
    found = {(one.kind, one.about[:200]): one for one in troubles}
    for alarm in Alarm.objects.filter(ended_at__isnull=True):
        if (alarm.kind, alarm.about) not in found and _may_end(alarm, seen):
            Alarm.objects.filter(pk=alarm.pk, ended_at__isnull=True).update(ended_at=now)
    for trouble in found.values():
        _begin(trouble, now)
    return list(
        Alarm.objects.filter(began_at__gt=now - NEWS_LASTS)
        .filter(
            Q(mailed_at__isnull=True)
            | Q(posted_at__isnull=True)
            | Q(ended_at__isnull=False, end_mailed_at__isnull=True)
            | Q(ended_at__isnull=False, end_posted_at__isnull=True)
        )
        .order_by("pk")
    )


def _may_end(alarm: Alarm, seen: list[Sighting]) -> bool:
    """That nobody tries any more is no all-clear: the mailing may have been cancelled for it."""
    if alarm.kind == Kind.RELAY:
        return alarm.about in ways_up(seen) or not _is_in_use(alarm.about)
    if alarm.kind == Kind.JOURNAL:
        return not any(one.journal for one in seen if _host(one) == alarm.about)
    return True


def _is_in_use(way: str) -> bool:
    try:
        return way in (*relays_in_settings(), settings.ESP)
    except Misconfigured:
        # Whoever sends says so; other alarms are told all the same.
        return True


def _host(one: Sighting) -> str:
    return one.name.partition(":")[0]


def _begin(trouble: Trouble, now: datetime) -> None:
    about = trouble.about[:200]
    if Alarm.objects.filter(kind=trouble.kind, about=about, ended_at__isnull=True).exists():
        return
    try:
        with transaction.atomic():
            Alarm.objects.create(
                kind=trouble.kind, about=about, text=trouble.text[:500], began_at=now
            )
    except IntegrityError:
        # Somebody who looked at the same time was faster.
        return


def _troubles(now: datetime, seen: list[Sighting]) -> Iterator[Trouble]:
    for mailing in Mailing.objects.filter(state=Mailing.State.PAUSED):
        # Or the pause would count as time in which nothing moved, once it goes on.
        client().delete(f"{_PROGRESS}{mailing.pk}")
        if not mailing.trouble:
            continue
        yield Trouble(Kind.STOPPED, f"mailing {mailing.pk}", mailing.trouble)
    moving = (Mailing.State.PLANNING, Mailing.State.SENDING)
    for mailing in Mailing.objects.filter(state__in=moving):
        minutes = _minutes_without_progress(mailing, now)
        if minutes >= settings.SENDING_STALLED_MINUTES:
            text = f"Nothing of it went out for {minutes:.0f} minutes although it is being sent."
            if mailing.state == Mailing.State.PLANNING:
                text = f"Its list of readers has not got longer for {minutes:.0f} minutes."
            yield Trouble(Kind.STALLED, f"mailing {mailing.pk}", text)
    for where, why in ways_down(seen).items():
        yield Trouble(Kind.RELAY, where, why)
    yield from _journals(seen)


def _minutes_without_progress(mailing: Mailing, now: datetime) -> float:
    """Since when the counts stand still while something might go; 0 when nothing has to move."""
    key = f"{_PROGRESS}{mailing.pk}"
    # What only rests after a try in vain is due all the same: it may be all there is, and rest
    # whenever we look. A slowed domain's batches wait for their turn.
    rested = now + timedelta(seconds=settings.SENDING_LINE_PAUSE_SECONDS)
    due = Q(state=Batch.State.CLAIMED) | Q(state=Batch.State.READY) & (
        Q(not_before__isnull=True) | Q(not_before__lte=now) | Q(not_before__lte=rested, domain="")
    )
    if mailing.state == Mailing.State.PLANNING:
        # Whether readers were found or only looked at.
        return _minutes_at(key, counts(mailing).planned + mailing.planned_upto, now)
    waits = mailing.kind != Mailing.Kind.ALERT and warm_up.is_used_up()
    if waits or not Batch.objects.filter(due, mailing=mailing).exists():
        client().delete(key)
        return 0.0
    return _minutes_at(key, counts(mailing).open, now)


def _minutes_at(key: str, number: int, now: datetime) -> float:
    """Return for how long it has been this number at every look."""
    kept = client().get(key)
    before, since = (float(part) for part in kept.split()) if kept else (-1.0, 0.0)
    if before != number:
        client().set(key, f"{number} {now.timestamp()}", ex=86_400)
        return 0.0
    return (now.timestamp() - since) / 60


def _journals(seen: list[Sighting]) -> Iterator[Trouble]:
    for one in seen:
        if one.is_fresh and one.journal:
            yield Trouble(Kind.JOURNAL, _host(one), one.journal)
