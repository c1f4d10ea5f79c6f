"""What the workers get to do next: only what the rate allows for the next seconds.

So Redis stays nearly empty, pausing is instant, and flushing Redis loses nothing: that a batch was
fed is a hint that expires.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import zip_longest

from django.conf import settings
from django.db.models import F, Q, Sum
from django.utils import timezone

from newsletter.sending import warm_up
from newsletter.sending.claim import HINT_SECONDS
from newsletter.sending.gather import gather
from newsletter.sending.hours import put_off
from newsletter.sending.models import Batch, Mailing

# How far ahead the workers are supplied, and how long a fed batch may stay unclaimed.
AHEAD = timedelta(seconds=10)
HINT_LASTS = timedelta(seconds=HINT_SECONDS)
# Without a rate: batches that wait for a worker at any time, over all mailings. Few, because a
# worker that has one goes on with the next by itself.
MOST = 12


def feed(now: datetime | None = None, *, alerts: bool | None = None) -> list[int]:
    """Return the batches to be handed to the workers now, and note that they were.

    Mailings take turns, so that a large one never keeps a small one waiting; safety alerts go
    first, and `alerts` asks for theirs alone, or for the others'. Handing an id twice is harmless.
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


def _room(now: datetime) -> int:
    """How many more batches may be handed on."""
    sending = Batch.objects.filter(mailing__state=Mailing.State.SENDING)
    waiting = Q(state=Batch.State.READY, fed_at__gt=now - HINT_LASTS)
    rate = settings.SENDING_RATE
    if rate <= 0:
        return MOST - sending.filter(waiting).count()
    open_rows = sending.filter(Q(state=Batch.State.CLAIMED) | waiting).aggregate(
        number=Sum(
            F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown"), default=0
        )
    )["number"]
    ahead = rate * AHEAD.total_seconds() - open_rows
    # One batch at least must be able to go, however low the rate.
    return min(MOST, max(int(ahead // 500), 0 if open_rows else 1))


def _in_turn(now: datetime, room: int, alerts: bool | None) -> list[int]:
    waiting: defaultdict[tuple[bool, int], list[int]] = defaultdict(list)
    mailings = Mailing.objects.filter(state=Mailing.State.SENDING)
    if alerts is not None:
        wanted = mailings.filter(kind=Mailing.Kind.ALERT)
        mailings = wanted if alerts else mailings.exclude(kind=Mailing.Kind.ALERT)
    for mailing, kind in mailings.values_list("pk", "kind"):
        ready = (
            Batch.objects.filter(mailing=mailing, state=Batch.State.READY)
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
            .filter(Q(not_after__isnull=True) | Q(not_after__gt=now))
            .filter(Q(fed_at__isnull=True) | Q(fed_at__lte=now - HINT_LASTS))
            .order_by("pk")
            .values_list("pk", flat=True)[:room]
        )
        waiting[kind != Mailing.Kind.ALERT, mailing].extend(ready)
    first = [batches for key, batches in sorted(waiting.items()) if not key[0]]
    others = [batches for key, batches in sorted(waiting.items()) if key[0]]
    turns = [
        batch
        for group in (first, others)
        for turn in zip_longest(*group)
        for batch in turn
        if batch is not None
    ]
    return turns[:room]


def _note(batch: int, now: datetime) -> bool:
    return bool(
        Batch.objects.filter(pk=batch, state=Batch.State.READY)
        .filter(Q(fed_at__isnull=True) | Q(fed_at__lte=now - HINT_LASTS))
        .update(fed_at=now)
    )
