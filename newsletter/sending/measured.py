"""How fast mailings go, noted while they go, for the estimate of the next one."""

from statistics import median

from django.conf import settings

from newsletter.sending.balance import counts_of
from newsletter.sending.clock import steady
from newsletter.sending.models import Batch, Mailing

# Closer looks than this say little; with two looks in a process's memory nothing is stored twice.
APART_SECONDS = 5.0
# The newest measurement counts this much.
_WEIGHT = 0.3
# As many past mailings are looked at.
MAILINGS = 5

# By mailing: when this process looked last (steady clock), and how many had an outcome then.
_looks: dict[int, tuple[float, int]] = {}


def note() -> None:
    """Look how far mailings are, and keep the pace of each while it has something to send."""
    now = steady()
    going = list(Mailing.objects.filter(state=Mailing.State.SENDING))
    for gone in _looks.keys() - {mailing.pk for mailing in going}:
        del _looks[gone]
    due = [one for one in going if one.pk not in _looks or now - _looks[one.pk][0] >= APART_SECONDS]
    if not due:
        return
    counts = counts_of(due)
    for mailing in due:
        done = counts[mailing.pk].planned - counts[mailing.pk].open
        at, before = _looks.get(mailing.pk, (now, done))
        _looks[mailing.pk] = (now, done)
        if done > before and _is_busy(mailing):
            _keep(mailing, (done - before) / (now - at))


def usual_pace() -> float | None:
    """Return messages a second to reckon with, never more than SENDING_RATE; None when nothing
    is known yet."""
    cap = settings.SENDING_RATE or None
    last = (
        Mailing.objects.filter(pace__isnull=False)
        .order_by("-pk")
        .values_list("pace", flat=True)[:MAILINGS]
    )
    known = [pace for pace in last if pace]
    if not known:
        return cap
    return min(median(known), cap) if cap else median(known)


def _is_busy(mailing: Mailing) -> bool:
    """Not at its tail, where workers have less to do than they could."""
    return Batch.objects.filter(
        mailing=mailing, state__in=[Batch.State.READY, Batch.State.CLAIMED]
    ).exists()


def _keep(mailing: Mailing, pace: float) -> None:
    known = mailing.pace
    now = pace if known is None else known + _WEIGHT * (pace - known)
    Mailing.objects.filter(pk=mailing.pk).update(pace=now)
