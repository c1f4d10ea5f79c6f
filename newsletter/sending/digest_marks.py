"""The marks between runs: made for new digest readers, timed anew when a reader chooses another
rhythm, given back when a copy was never handed over."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.sending.digest_shelf import ReleaseTimes
from newsletter.sending.due_times import Rhythm, next_due
from newsletter.sending.mark_turns import take_turn
from newsletter.sending.models import Delivery, DigestMark, Mailing
from signup.models import Subscription

SLICE = 2000
# Longer than any rhythm's period: a due time beyond it was worked out by a clock gone wrong.
FURTHEST = timedelta(days=40)


class _Reader(NamedTuple):
    subscription: int
    subscriber: int
    newsletter: int
    rhythm: Rhythm
    live_at: datetime | None
    has_mark: bool
    first_sent_at: datetime | None


def keep_up(newsletter: Newsletter, now: datetime) -> int:
    """Give every live subscription of a digest its mark and its due time; return how many lacked.

    A sweep: readers who were imported, and those whom no listener told us of, are found here.
    A new reader's first digest is due at once, a returning one's at their next time.
    """
    lacking = Q(mark__isnull=True) | Q(mark__next_due_at__isnull=True)
    lacking |= Q(mark__next_due_at__gt=now + FURTHEST)
    found, last = 0, 0
    live = Subscription.objects.live().filter(lacking, newsletter=newsletter)
    while slice_ := _read(live.filter(pk__gt=last)):
        last = slice_[-1].subscription
        _time(slice_, now)
        found += len(slice_)
    return found


def time_anew(subscription_ids: Sequence[int]) -> None:
    """Work out when these readers' digests are due, by the rhythm they have now.

    Registered with signup.cadence: runs in the very transaction that changes the rhythm. The
    mark is not touched, so that no change of rhythm repeats or loses an article.
    """
    live = Subscription.objects.live().filter(newsletter__kind=Newsletter.Kind.DIGEST)
    for at in range(0, len(subscription_ids), SLICE):
        _time(_read(live.filter(pk__in=subscription_ids[at : at + SLICE])), timezone.now())


def give_back(delivery_ids: Iterable[int]) -> int:
    """Move the marks of these skipped digest deliveries back, so that the next digest brings
    what they held. Returns how many marks moved.

    To be called in the transaction that skips them. Only rows that are skipped, and only once:
    a delivery whose stretch was given back keeps none. A mark that a later run has moved on
    stays where it is.
    """
    ids = sorted(delivery_ids)
    with transaction.atomic():
        return sum(_give_back(ids[at : at + SLICE]) for at in range(0, len(ids), SLICE))


def _read(subscriptions: QuerySet[Subscription]) -> list[_Reader]:
    rows = subscriptions.order_by("pk").values_list(
        "pk",
        "subscriber_id",
        "newsletter_id",
        "cadence",
        "weekday",
        "hour",
        "subscriber__timezone",
        "live_at",
        "mark__pk",
        "mark__first_sent_at",
    )[:SLICE]
    return [
        _Reader(
            pk,
            subscriber,
            newsletter,
            Rhythm(cadence, weekday, hour, zone),
            live_at,
            mark is not None,
            first,
        )
        for pk, subscriber, newsletter, cadence, weekday, hour, zone, live_at, mark, first in rows
    ]


def _time(readers: list[_Reader], now: datetime) -> None:
    # Whole seconds, as runs have them: a first digest is due to the run of this very second.
    now = now.replace(microsecond=0)
    with transaction.atomic():
        if len({reader.subscriber for reader in readers}) > 1:
            # One reader's own change waits for no run but the one that is planning this reader.
            for newsletter in sorted({reader.newsletter for reader in readers}):
                take_turn(newsletter)
        _make([reader for reader in readers if not reader.has_mark], now)
        alike: defaultdict[datetime, list[int]] = defaultdict(list)
        for reader in readers:
            if reader.has_mark:
                due = next_due(reader.rhythm, now) if reader.first_sent_at else now
                alike[due].append(reader.subscription)
        for due, subscriptions in alike.items():
            # A digest that is due, and late, is not put off by a change made while it waits;
            # what was due before the reader came back is.
            DigestMark.objects.filter(
                Q(next_due_at__isnull=True)
                | Q(next_due_at__gt=now)
                | Q(next_due_at__lt=F("subscription__live_at")),
                pk__in=subscriptions,
            ).update(next_due_at=due)
        # For who stays due, but a second: a run that is just planning them by the old rhythm fails
        # to claim the mark, reads anew, and leaves them to the next.
        DigestMark.objects.filter(
            pk__in=[reader.subscription for reader in readers if reader.first_sent_at],
            next_due_at__lte=now,
        ).update(next_due_at=now + timedelta(seconds=1))


def _make(readers: list[_Reader], now: datetime) -> None:
    if not readers:
        return
    times = ReleaseTimes.load()
    DigestMark.objects.bulk_create(
        (
            DigestMark(
                subscription_id=reader.subscription,
                # What came out between confirming and this look is new to the reader.
                mark=times.number_at(reader.live_at or now),
                next_due_at=now,
            )
            for reader in readers
        ),
        # Two runs may notice the same new reader.
        ignore_conflicts=True,
    )


def _give_back(delivery_ids: list[int]) -> int:
    stretches: defaultdict[tuple[int, int, int, datetime], list[int]] = defaultdict(list)
    given = []
    for pk, subscriber, newsletter, from_seq, to_seq, dated in (
        Delivery.objects.filter(
            pk__in=delivery_ids,
            state=Delivery.State.SKIPPED,
            to_seq__isnull=False,
            mailing__kind=Mailing.Kind.DIGEST,
        )
        .order_by()
        .values_list(
            "pk", "subscriber_id", "mailing__newsletter_id", "from_seq", "to_seq", "mailing__dated"
        )
    ):
        # A digest's delivery has both ends of its stretch from the start.
        assert from_seq is not None and to_seq is not None
        given.append(pk)
        stretches[newsletter, from_seq, to_seq, dated].append(subscriber)
    Delivery.objects.filter(pk__in=given).update(to_seq=None)
    moved = 0
    for newsletter in sorted({newsletter for newsletter, *_ in stretches}):
        take_turn(newsletter)
    for (newsletter, from_seq, to_seq, dated), subscribers in stretches.items():
        marks = DigestMark.objects.filter(
            subscription__newsletter=newsletter,
            subscription__subscriber__in=subscribers,
            mark=to_seq,
        )
        # A first digest that nobody got is still to come.
        marks.filter(first_sent_at=dated).update(first_sent_at=None)
        moved += marks.update(mark=from_seq)
    return moved
