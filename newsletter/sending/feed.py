"""What the workers get to do next: only what the rate allows for the next seconds.

So Redis stays nearly empty, pausing is instant, and flushing Redis loses nothing: that a batch was
fed is a hint that expires.
"""

from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from newsletter.sending import warm_up
from newsletter.sending.claim import HINT_SECONDS
from newsletter.sending.gather import gather
from newsletter.sending.hours import put_off
from newsletter.sending.models import Batch, Mailing

# How far ahead the workers are supplied, and how long a fed batch may stay unclaimed.
AHEAD = timedelta(seconds=10)
HINT_LASTS = timedelta(seconds=HINT_SECONDS)
# Without a rate: batches that wait for a worker, over all mailings: as many as are with one, which
# is how many workers there are, and within these bounds. Few, because a worker that has one goes
# on with the next by itself, and another mailing's have to wait behind them.
LEAST, MOST = 4, 12


def feed(now: datetime | None = None, *, alerts: bool | None = None) -> list[int]:
    """Return the batches to be handed to the workers now, and note that they were.

    Mailings take turns, so that a large one never keeps a small one waiting: next is whoever has
    the fewest under way. Safety alerts go first, and `alerts` asks for theirs alone, or for the
    others'. Handing an id twice is harmless.
    """
    now = now or timezone.now()
    if not alerts:
        gather(now)
        put_off(now)
    room = _room(now)
    if not alerts and warm_up.is_used_up():
        # It goes on tomorrow by itself. Safety alerts go today.
        if alerts is not None:
            return []
        alerts = True
    if alerts:
        # They may overtake: what stands ready for issues is no reason to let them wait.
        room = MOST
    return [batch for batch in _in_turn(now, room, alerts) if _note(batch, now)] if room > 0 else []


def begin(now: datetime | None = None) -> list[int]:
    """Return one batch of each mailing that no worker is at or on its way to, and note that.

    For the front of the queue, however many batches of a large mailing stand in it. Alerts are
    left out, which have a pool of their own.
    """
    now = now or timezone.now()
    if warm_up.is_used_up():
        return []
    busy = _under_way(now)
    others = Mailing.objects.filter(state=Mailing.State.SENDING).exclude(kind=Mailing.Kind.ALERT)
    idle = [pk for pk in others.order_by("pk").values_list("pk", flat=True) if pk not in busy]
    first = (_ready(mailing, now).first() for mailing in idle)
    return [batch for batch in first if batch is not None and _note(batch, now)]


def _room(now: datetime) -> int:
    """How many more batches may be handed on."""
    sending = Batch.objects.filter(mailing__state=Mailing.State.SENDING)
    waiting = _waits_for_a_worker(now)
    rate = settings.SENDING_RATE
    if rate <= 0:
        claimed = sending.filter(state=Batch.State.CLAIMED).count()
        return min(MOST, max(LEAST, claimed)) - sending.filter(waiting).count()
    open_rows = sending.filter(Q(state=Batch.State.CLAIMED) | waiting).aggregate(
        number=Sum(
            F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown"), default=0
        )
    )["number"]
    ahead = rate * AHEAD.total_seconds() - open_rows
    # One batch at least must be able to go, however low the rate.
    return min(MOST, max(int(ahead // 500), 0 if open_rows else 1))


def _in_turn(now: datetime, room: int, alerts: bool | None) -> list[int]:
    mailings = Mailing.objects.filter(state=Mailing.State.SENDING)
    if alerts is not None:
        wanted = mailings.filter(kind=Mailing.Kind.ALERT)
        mailings = wanted if alerts else mailings.exclude(kind=Mailing.Kind.ALERT)
    busy = _under_way(now)
    waiting = [
        (
            kind != Mailing.Kind.ALERT,
            busy.get(mailing, 0),
            mailing,
            list(_ready(mailing, now)[:room]),
        )
        for mailing, kind in mailings.values_list("pk", "kind")
    ]
    heapify(waiting)
    turns: list[int] = []
    while waiting and len(turns) < room:
        not_urgent, under_way, mailing, batches = heappop(waiting)
        if batches:
            turns.append(batches.pop(0))
            heappush(waiting, (not_urgent, under_way + 1, mailing, batches))
    return turns


def _ready(mailing: int, now: datetime) -> "QuerySet[Batch, int]":
    """What of a mailing may be handed on, in its order."""
    return (
        Batch.objects.filter(_may_be_fed(now), mailing=mailing)
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
        .filter(Q(not_after__isnull=True) | Q(not_after__gt=now))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def _under_way(now: datetime) -> dict[int, int]:
    """How many batches are with a worker or on the way to one, by mailing; none is left out."""
    return dict(
        Batch.objects.filter(mailing__state=Mailing.State.SENDING)
        .filter(Q(state=Batch.State.CLAIMED) | _waits_for_a_worker(now))
        .order_by()
        .values_list("mailing")
        .annotate(number=Count("pk"))
    )


def _waits_for_a_worker(now: datetime) -> Q:
    """It was fed, and that counts still. What was fed later than now, by a clock that was set
    back since, counts no more: nobody knows for how long it would."""
    return Q(state=Batch.State.READY, fed_at__gt=now - HINT_LASTS, fed_at__lte=now + HINT_LASTS)


def _may_be_fed(now: datetime) -> Q:
    return Q(state=Batch.State.READY) & (
        Q(fed_at__isnull=True) | Q(fed_at__lte=now - HINT_LASTS) | Q(fed_at__gt=now + HINT_LASTS)
    )


def _note(batch: int, now: datetime) -> bool:
    return bool(Batch.objects.filter(_may_be_fed(now), pk=batch).update(fed_at=now))
