"""What a reader's digest says besides its articles: when the next one comes, and, after a pause,
how much came out meanwhile."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from newsletter.approval.clocks import zone
from newsletter.editions.digest_rules import CAP
from newsletter.editions.models import Article, Release
from newsletter.rendering.copies import Extras
from newsletter.sending.due_times import Rhythm, next_due
from newsletter.sending.models import Delivery, Mailing
from newsletter.sending.row import Row
from signup.models import Subscription

# A pause that ended longer ago is no news any more, also to who gets a digest a month.
LATELY = timedelta(days=40)


class _Reader(NamedTuple):
    subscription: int
    subscriber: int
    cadence: str
    weekday: int
    hour: int
    timezone: str
    names_conditions: bool
    paused_at: datetime | None
    paused_until: datetime | None


class _Pause(NamedTuple):
    began: datetime
    ended: datetime


def extras_of(
    rows: Sequence[Row], follows: Mapping[int, Collection[int]], mailing: Mailing
) -> dict[int, Extras]:
    """Return by subscription what these readers' copies say besides their articles.

    All of it is counted from the run and not from today, and what came out during a pause once
    only, so that a copy that is sent again has the same bytes.
    """
    again = [row.pk for row in rows if row.resent]
    said = _said_before(again) if again else {}
    readers = list(
        map(
            _Reader._make,
            Subscription.objects.filter(pk__in=[row.subscription for row in rows])
            .order_by()
            .values_list(
                "pk",
                "subscriber_id",
                "cadence",
                "weekday",
                "hour",
                "subscriber__timezone",
                "subscriber__conditions_in_subject",
                "paused_at",
                "paused_until",
            ),
        )
    )
    firsts = {row.subscriber for row in rows if not row.resent}
    counting = [reader for reader in readers if reader.subscriber in firsts]
    away = said | _away(counting, follows, mailing)
    more = _more(rows)
    days: dict[tuple[str, int, int, str], date | None] = {}
    found = {}
    for reader in readers:
        rhythm = (reader.cadence, reader.weekday, reader.hour, reader.timezone)
        if rhythm not in days:
            days[rhythm] = _next_day(Rhythm(*rhythm), mailing.dated)
        found[reader.subscription] = Extras(
            next_digest=days[rhythm],
            cadence=reader.cadence,
            names_conditions=reader.names_conditions,
            away=away.get(reader.subscriber, 0),
            more=more.get(reader.subscriber, 0),
        )
    return found


def _more(rows: Sequence[Row]) -> dict[int, int]:
    """Return by reader how many articles the cap kept out; nobody else.

    Asked only of those whose mail is full, or was: what came as an alert is taken out since.
    """
    full = [row.pk for row in rows if row.resent or len(row.article_ids or ()) >= CAP]
    found = Delivery.objects.filter(pk__in=full).order_by().values_list("subscriber_id", "more")
    return {subscriber: more for subscriber, more in found if more} if full else {}


def _said_before(deliveries: Sequence[int]) -> dict[int, int]:
    """Return by reader the number that the first of these copies said; nobody else."""
    found = Delivery.objects.filter(pk__in=deliveries).order_by()
    return {
        subscriber: away
        for subscriber, away in found.values_list("subscriber_id", "away")
        if away is not None
    }


def _next_day(rhythm: Rhythm, dated: datetime) -> date | None:
    """Return on which day, by the reader's clock, the digest after this one is due; None for who
    gets them as things happen, since nobody knows when something will."""
    if rhythm.cadence == Subscription.Cadence.IMMEDIATE:
        return None
    return next_due(rhythm, dated).astimezone(zone(rhythm.timezone)).date()


def _away(
    readers: Sequence[_Reader], follows: Mapping[int, Collection[int]], mailing: Mailing
) -> dict[int, int]:
    """Return by reader how many articles came out during the pause that this digest is the first
    after; readers for whom there is nothing to say are left out."""
    pauses = {
        reader.subscriber: _Pause(reader.paused_at, reader.paused_until)
        for reader in readers
        if reader.paused_at is not None
        and reader.paused_until is not None
        and mailing.dated - LATELY < reader.paused_until <= mailing.dated
        and reader.paused_at < reader.paused_until
    }
    if not pauses:
        return {}
    for subscriber, dated in _digests_since(pauses, mailing):
        pause = pauses.get(subscriber)
        if pause is not None and dated >= pause.ended:
            del pauses[subscriber]
    return _count_missed(pauses, follows)


def _digests_since(
    pauses: Mapping[int, _Pause], mailing: Mailing
) -> Collection[tuple[int, datetime]]:
    """Return (reader, run) of these readers' earlier digests since the first pause ended."""
    runs = dict(
        Mailing.objects.filter(
            newsletter=mailing.newsletter,
            kind=Mailing.Kind.DIGEST,
            dated__gte=min(pause.ended for pause in pauses.values()),
            dated__lt=mailing.dated,
        ).values_list("pk", "dated")
    )
    # By mailing and reader, because that pair is what is indexed.
    deliveries = (
        Delivery.objects.filter(mailing__in=runs, subscriber__in=pauses)
        .exclude(state=Delivery.State.SKIPPED)
        .order_by()
        .values_list("subscriber_id", "mailing_id")
    )
    return [(subscriber, runs[run]) for subscriber, run in deliveries]


def _count_missed(
    pauses: Mapping[int, _Pause], follows: Mapping[int, Collection[int]]
) -> dict[int, int]:
    if not pauses:
        return {}
    released = list(
        Release.objects.standing()
        .filter(
            article__live=True,
            released_at__gte=min(pause.began for pause in pauses.values()),
            released_at__lt=max(pause.ended for pause in pauses.values()),
        )
        .values_list("released_at", "article_id")
    )
    about: defaultdict[int, set[int]] = defaultdict(set)
    for article, condition in Article.conditions.through.objects.filter(
        article__in={article for _, article in released}
    ).values_list("article_id", "condition_id"):
        about[article].add(condition)
    missed = {
        subscriber: len(
            {
                article
                for released_at, article in released
                if pause.began <= released_at < pause.ended
                and not about[article].isdisjoint(follows.get(subscriber, ()))
            }
        )
        for subscriber, pause in pauses.items()
    }
    return {subscriber: count for subscriber, count in missed.items() if count}
