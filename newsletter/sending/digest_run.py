"""A digest run: who is due, what each of them gets, and the deliveries that carry it.

A run freezes its cut-off once, in its mailing, and then goes in slices. Each slice is one
transaction: claim the marks, write the deliveries, move the marks. So a crash at any line loses
or doubles nobody: what was not committed is still due, and the next run takes up the same
mailing with the same cut-off. The mailing stays invisible to the feeder until the last slice.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Newsletter, ReleaseCounter
from newsletter.sending.digest_marks import keep_up
from newsletter.sending.digest_slice import Overtaken, Planner, Slice, due_marks, hold
from newsletter.sending.models import Batch, Mailing

logger = logging.getLogger(__name__)

# How often a slice is read anew that others overtake. Each time somebody else got on; a mark that
# can never be claimed must end in an error, and not keep a process busy for ever.
TRIES = 20


@dataclass(frozen=True, slots=True)
class Run:
    """What one call did for one digest mailing."""

    newsletter: str
    cutoff_seq: int
    # Readers who were due, and how many of them get a mail.
    due: int
    planned: int
    # False when the call's slices were used up: the next call goes on.
    complete: bool


def run_due(now: datetime, *, at_most_slices: int | None = None, sweep: bool = True) -> list[Run]:
    """Plan the digests of every reader who is due at `now`, and return what was done.

    Harmless to repeat and to run twice at once. A run that was interrupted is completed first,
    under its own cut-off. `at_most_slices` bounds one call; the next goes on where it stopped.
    `sweep` also looks through all live readers for those without a mark or a due time: they have
    them from the moment they became live, so that this heals and need not be done every minute.
    """
    # Whole seconds, as the Date header has them.
    now = now.replace(microsecond=0)
    runs = []
    left = at_most_slices
    for newsletter in Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("pk"):
        if sweep:
            keep_up(newsletter, now)
        for mailing in _mailings(newsletter, now):
            if mailing.dated > now:
                # Begun by a clock that was ahead. What it planned stands; to go on would mail
                # readers early, and those who are timed anew meanwhile twice in one run.
                _complete(mailing)
                continue
            slices, run = _plan(mailing, left)
            runs.append(run)
            if left is not None:
                left -= slices
                if left <= 0:
                    return runs
    return runs


def _mailings(newsletter: Newsletter, now: datetime) -> Iterator[Mailing]:
    """Yield the runs to be made: those that were interrupted, then one for `now` if it has
    readers and its minute has not had its run."""
    mine = Mailing.objects.filter(newsletter=newsletter, kind=Mailing.Kind.DIGEST)
    yield from mine.filter(state=Mailing.State.PLANNING).order_by("pk")
    if not due_marks(newsletter, now).exists():
        return
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    mailing, _ = mine.get_or_create(
        purpose=f"digest {minute:%Y-%m-%dT%H:%MZ}",
        newsletter=newsletter,
        defaults={
            "kind": Mailing.Kind.DIGEST,
            "dated": now,
            # Frozen here, once: what is released from now on waits for the next run.
            "cutoff_seq": ReleaseCounter.current(),
        },
    )
    if mailing.state == Mailing.State.PLANNING:
        yield mailing


def _plan(mailing: Mailing, at_most_slices: int | None) -> tuple[int, Run]:
    """Plan slice after slice; return how many were used, and what was done."""
    cutoff = mailing.cutoff_seq or 0
    planner = Planner(mailing, cutoff)
    slices = due = planned = 0
    for ids in planner.waiting():
        if at_most_slices is not None and slices >= at_most_slices:
            return slices, Run(mailing.newsletter.slug, cutoff, due, planned, complete=False)
        done = _plan_slice(planner, ids)
        if done is None:
            break
        slices += 1
        due += done.due
        planned += done.planned
    _complete(mailing)
    return slices, Run(mailing.newsletter.slug, cutoff, due, planned, complete=True)


def _plan_slice(planner: Planner, ids: Sequence[int]) -> Slice | None:
    for attempt in count(1):
        try:
            with transaction.atomic():
                return planner.slice(ids)
        except Overtaken:
            logger.info("Another run took part of a slice of %s readers.", len(ids))
            if attempt == TRIES:
                raise
    raise AssertionError  # count() has no end


@transaction.atomic
def _complete(mailing: Mailing) -> None:
    """Make the plan visible to the feeder; a run that owes nobody anything leaves no mailing."""
    if not hold(mailing):
        return
    if Batch.objects.filter(mailing=mailing).exists():
        Mailing.objects.filter(pk=mailing.pk).update(
            state=Mailing.State.SENDING, started_at=timezone.now()
        )
    else:
        Mailing.objects.filter(pk=mailing.pk).delete()
