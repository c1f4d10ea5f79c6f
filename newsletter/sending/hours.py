"""Only between certain hours: batches whose hours are over wait until they open again.

A batch carries the stretch in which it may be handed over (`not_before`, `not_after`); claiming and
every chunk look at it. When the stretch is over, the feeder writes the next one.
"""

from datetime import datetime

from django.db.models import Q

from newsletter.approval.clocks import zone
from newsletter.approval.timing import Span
from newsletter.sending.models import Batch, Mailing, Wave


def span_of(mailing: Mailing, wave: Wave | None, at: datetime) -> Span | None:
    """Return the hours in which what is due at `at` may go; None when a mailing keeps none."""
    schedule = mailing.schedule
    if schedule is None:
        return None
    return schedule.timing.span(at, zone(wave.clock if wave else schedule.zone))


def put_off(now: datetime) -> int:
    """Give batches whose hours are over, or that have none yet, the next ones. Returns how many.

    What a worker holds it gives back by itself, at its next chunk.
    """
    moved = 0
    keeping = Mailing.objects.filter(
        state=Mailing.State.SENDING, schedule__opens__isnull=False
    ).select_related("schedule")
    for mailing in keeping:
        over = Batch.objects.filter(
            Q(not_after__isnull=True) | Q(not_after__lte=now),
            mailing=mailing,
            state=Batch.State.READY,
        )
        waves = list(over.order_by().values_list("wave", flat=True).distinct())
        known = {wave.pk: wave for wave in Wave.objects.filter(pk__in=[pk for pk in waves if pk])}
        for pk in waves:
            span = span_of(mailing, known.get(pk) if pk else None, now)
            assert span is not None  # its schedule has hours
            theirs = over.filter(wave=pk)
            # Who waits for their turn, or for the relay, goes on waiting for that.
            later = theirs.filter(not_before__gt=max(span.opens, now))
            moved += later.update(not_after=span.closes)
            moved += theirs.update(not_before=span.opens, not_after=span.closes)
    return moved
