"""A digest run: who is due, what each of them gets, and the deliveries that carry it.

A run freezes its cut-off once, in its mailing, and then goes in slices. Each slice is one
transaction: claim the marks, write the deliveries, move the marks. So a crash at any line loses
or doubles nobody: what was not committed is still due, and the next run takes up the same
mailing with the same cut-off. The mailing stays invisible to the feeder until the last slice.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from newsletter.audience.recipients import recipients
from newsletter.catalogue.models import Newsletter, ReleaseCounter
from newsletter.editions.digest_rules import Shelf, choose_first, choose_new
from newsletter.rendering.digest import compile_shell
from newsletter.sending.digest_marks import keep_up
from newsletter.sending.digest_shelf import ReleaseTimes, load_shelf
from newsletter.sending.due_times import Rhythm, next_due
from newsletter.sending.models import Batch, Delivery, DigestMark, Edition, Mailing
from newsletter.wire.message import FORMAT_VERSION
from signup.models import Follow, Subscription

logger = logging.getLogger(__name__)

# Readers claimed in one transaction, and deliveries that a worker claims at once.
SLICE = 2000
BATCH = 500


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


class Overtaken(Exception):
    """Another run took some of this slice's readers: nothing was written, read them anew."""


class _Due(NamedTuple):
    subscription: int
    subscriber: int
    mark: int
    due_at: datetime
    first_sent_at: datetime | None
    state: str
    rhythm: Rhythm
    paused_until: datetime | None
    live_at: datetime | None
    language: str


class _Owed(NamedTuple):
    """One reader's digest, not yet written."""

    row: _Due
    articles: list[int]


def run_due(now: datetime, *, at_most_slices: int | None = None) -> list[Run]:
    """Plan the digests of every reader who is due at `now`, and return what was done.

    Harmless to repeat and to run twice at once. A run that was interrupted is completed first,
    under its own cut-off. `at_most_slices` bounds one call; the next goes on where it stopped.
    """
    # Whole seconds, as the Date header has them.
    now = now.replace(microsecond=0)
    runs = []
    left = at_most_slices
    for newsletter in Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("pk"):
        keep_up(newsletter, now)
        for mailing in _mailings(newsletter, now):
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
    if not _due_marks(newsletter, now).exists():
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
    planner = _Planner(mailing, cutoff)
    slices = due = planned = 0
    complete = False
    while not complete and (at_most_slices is None or slices < at_most_slices):
        try:
            with transaction.atomic():
                seen, written = planner.slice()
        except Overtaken:
            logger.info("Digest mailing %s: another run took part of a slice.", mailing.pk)
            continue
        slices += 1
        due += seen
        planned += written
        # Fewer than a slice holds: nobody else is due.
        complete = seen < SLICE
    if complete:
        _complete(mailing)
    return slices, Run(mailing.newsletter.slug, cutoff, due, planned, complete)


@transaction.atomic
def _complete(mailing: Mailing) -> None:
    """Make the plan visible to the feeder; a run that owes nobody anything leaves no mailing."""
    if not _hold(mailing):
        return
    if Batch.objects.filter(mailing=mailing).exists():
        Mailing.objects.filter(pk=mailing.pk).update(
            state=Mailing.State.SENDING, started_at=timezone.now()
        )
    else:
        Mailing.objects.filter(pk=mailing.pk).delete()


def _hold(mailing: Mailing) -> bool:
    """Take the mailing's row until this transaction ends; False when its plan is closed.

    A second run at the same slice waits here, so that none adds to a plan that another has
    just declared complete.
    """
    return bool(
        Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PLANNING).update(
            state=Mailing.State.PLANNING
        )
    )


class _Planner:
    """One mailing's slices, with what they all share loaded once."""

    def __init__(self, mailing: Mailing, cutoff: int) -> None:
        self._mailing = mailing
        self._cutoff = cutoff
        self._shelf: Shelf = load_shelf(cutoff, mailing.dated)
        self._times = ReleaseTimes.load()
        self._editions: dict[str, int] = {}

    def slice(self) -> tuple[int, int]:
        """Claim the next readers who are due and write their deliveries, in the caller's
        transaction. Returns how many were due and how many get a mail; (0, 0) at the end.

        Raises Overtaken when another run has taken one of them.
        """
        if not _hold(self._mailing):
            return 0, 0
        rows = self._due()
        owed = self._owed(rows)
        self._move(rows, {each.row.subscription for each in owed})
        self._write(owed)
        return len(rows), len(owed)

    def _due(self) -> list[_Due]:
        rows = (
            _due_marks(self._mailing.newsletter, self._mailing.dated)
            .order_by("next_due_at", "pk")
            .values_list(
                "pk",
                "subscription__subscriber_id",
                "mark",
                "next_due_at",
                "first_sent_at",
                "subscription__state",
                "subscription__paused_until",
                "subscription__live_at",
                "subscription__subscriber__language",
                "subscription__cadence",
                "subscription__weekday",
                "subscription__hour",
                "subscription__subscriber__timezone",
            )[:SLICE]
        )
        return [
            _Due(*row[:6], Rhythm(*row[9:]), *row[6:9])  # type: ignore[arg-type]
            for row in rows
        ]

    def _owed(self, rows: list[_Due]) -> list[_Owed]:
        """Choose each reader's articles; readers for whom there are none are left out."""
        awake = [row for row in rows if not self._is_paused(row)]
        receiving = set(
            recipients(self._mailing.newsletter)
            .filter(pk__in=[row.subscription for row in awake])
            .values_list("pk", flat=True)
        )
        rows = [row for row in awake if row.subscription in receiving]
        follows: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for subscriber, condition, since in Follow.objects.filter(
            subscriber__in=[row.subscriber for row in rows], paused_at__isnull=True
        ).values_list("subscriber_id", "condition_id", "from_seq"):
            follows[subscriber][condition] = since
        owed = []
        for row in rows:
            articles = self._choose(row, follows[row.subscriber])
            if articles:
                owed.append(_Owed(row, articles))
        return owed

    def _is_paused(self, row: _Due) -> bool:
        return row.paused_until is not None and row.paused_until > self._mailing.dated

    def _choose(self, row: _Due, follows: dict[int, int]) -> list[int]:
        if row.first_sent_at is None:
            return choose_first(self._shelf, follows, cutoff=self._cutoff)
        # Resuming after a pause, and coming back after an end, owe nothing released before.
        resumed = max(self._times.number_at(row.paused_until), self._times.number_at(row.live_at))
        return choose_new(self._shelf, follows, mark=max(row.mark, resumed), cutoff=self._cutoff)

    def _move(self, rows: list[_Due], receiving: set[int]) -> None:
        """Move marks and due times, few statements for many readers: those who were alike
        stay alike. Every one says which mark it moves from, and none may be missing."""
        alike: defaultdict[tuple[int, datetime, tuple[tuple[str, object], ...]], list[int]]
        alike = defaultdict(list)
        for row in rows:
            values: dict[str, object] = {"next_due_at": None}
            if row.state == Subscription.State.LIVE:
                values = {
                    "mark": max(row.mark, self._cutoff),
                    "next_due_at": next_due(row.rhythm, self._mailing.dated),
                }
                if row.first_sent_at is None and row.subscription in receiving:
                    values["first_sent_at"] = self._mailing.dated
            alike[row.mark, row.due_at, tuple(values.items())].append(row.subscription)
        for (from_seq, due_at, changes), subscriptions in alike.items():
            moved = DigestMark.objects.filter(
                pk__in=subscriptions, mark=from_seq, next_due_at=due_at
            ).update(**dict(changes))
            if moved != len(subscriptions):
                raise Overtaken

    def _write(self, owed: list[_Owed]) -> None:
        for start in range(0, len(owed), BATCH):
            part = owed[start : start + BATCH]
            batch = Batch.objects.create(mailing=self._mailing, planned=len(part))
            Delivery.objects.bulk_create(
                Delivery(
                    mailing=self._mailing,
                    batch=batch,
                    edition_id=self._edition(row.language),
                    subscriber_id=row.subscriber,
                    place=place,
                    article_ids=articles,
                    from_seq=row.mark,
                    to_seq=max(row.mark, self._cutoff),
                )
                for place, (row, articles) in enumerate(part)
            )

    def _edition(self, language: str) -> int:
        """Return the edition in the reader's language, or else in the newsletter's."""
        newsletter = self._mailing.newsletter
        if language not in dict(settings.LANGUAGES):
            language = newsletter.language
        if language not in self._editions:
            edition, _ = Edition.objects.get_or_create(
                mailing=self._mailing,
                language=language,
                variant="",
                defaults={
                    "content": compile_shell(newsletter, language).to_bytes(),
                    "format_version": FORMAT_VERSION,
                },
            )
            self._editions[language] = edition.pk
        return self._editions[language]


def _due_marks(newsletter: Newsletter, instant: datetime) -> QuerySet[DigestMark]:
    return DigestMark.objects.filter(next_due_at__lte=instant, subscription__newsletter=newsletter)
