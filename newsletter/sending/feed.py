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

from newsletter.sending.claim import HINT_SECONDS
from newsletter.sending.gather import gather
from newsletter.sending.models import Batch, Mailing

# How far ahead the workers are supplied, and how long a fed batch may stay unclaimed.
AHEAD = timedelta(seconds=10)
HINT_LASTS = timedelta(seconds=HINT_SECONDS)
# Without a rate: batches on their way at any time, over all mailings.
MOST = 40


def feed(now: datetime | None = None) -> list[int]:
    """Return the batches to be handed to the workers now, and note that they were.

    Mailings take turns, so that a large one never keeps a small one waiting; safety alerts go
    first. Handing an id twice is harmless.
    """
    now = now or timezone.now()
    gather(now)
    room = _room(now)
    return [batch for batch in _in_turn(now, room) if _note(batch, now)] if room > 0 else []


def _room(now: datetime) -> int:
    """How many more batches may be on their way."""
    on_their_way = Batch.objects.filter(mailing__state=Mailing.State.SENDING).filter(
        Q(state=Batch.State.CLAIMED) | Q(state=Batch.State.READY, fed_at__gt=now - HINT_LASTS)
    )
    rate = settings.SENDING_RATE
    if rate <= 0:
        return MOST - on_their_way.count()
    open_rows = on_their_way.aggregate(
        number=Sum(
            F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown"), default=0
        )
    )["number"]
    ahead = rate * AHEAD.total_seconds() - open_rows
    # One batch at least must be able to go, however low the rate.
    return min(MOST, max(int(ahead // 500), 0 if open_rows else 1))


def _in_turn(now: datetime, room: int) -> list[int]:
    waiting: defaultdict[tuple[bool, int], list[int]] = defaultdict(list)
    mailings = Mailing.objects.filter(state=Mailing.State.SENDING).values_list("pk", "kind")
    for mailing, kind in mailings:
        ready = (
            Batch.objects.filter(mailing=mailing, state=Batch.State.READY)
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
            .filter(Q(fed_at__isnull=True) | Q(fed_at__lte=now - HINT_LASTS))
            .order_by("pk")
            .values_list("pk", flat=True)[:room]
        )
        waiting[kind != Mailing.Kind.ALERT, mailing].extend(ready)
    alerts = [batches for key, batches in sorted(waiting.items()) if not key[0]]
    others = [batches for key, batches in sorted(waiting.items()) if key[0]]
    turns = [
        batch
        for group in (alerts, others)
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
