"""One slice of a digest run: claim the marks, choose the articles, write the deliveries.

The hot path of planning (a million readers), so: tuples and no model instances, four statements
that read or write whole slices, and nothing worked out twice for readers who are alike.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from newsletter.audience.recipients import recipients
from newsletter.catalogue.models import Newsletter
from newsletter.editions.digest_rules import CAP, Shelf, choose_first, choose_new
from newsletter.rendering.digest import compile_shell
from newsletter.sending.alert_readers import AlertsReached
from newsletter.sending.digest_pieces import Keeper, Pieces
from newsletter.sending.digest_shelf import ReleaseTimes, load_shelf
from newsletter.sending.due_times import Rhythm, next_due
from newsletter.sending.mark_turns import take_turn
from newsletter.sending.models import Batch, Delivery, DigestMark, Edition, Mailing
from newsletter.sending.row_source import Type, row_source
from newsletter.wire.message import FORMAT_VERSION
from signup.models import Follow, Subscription

# Readers claimed in one transaction, and deliveries that a worker claims at once.
SLICE = 5000
BATCH = 500
# Readers looked up at once, who are then claimed slice by slice.
WINDOW = 40 * SLICE


class Overtaken(Exception):
    """Another run took some of this slice's readers: nothing was written, read them anew."""


class _Due(NamedTuple):
    subscription: int
    subscriber: int
    mark: int
    # Null while no digest has gone to this reader yet.
    first_sent_at: datetime | None
    paused_until: datetime | None
    live_at: datetime | None
    language: str
    cadence: str
    weekday: int
    hour: int
    timezone: str


class Slice(NamedTuple):
    """What one slice did: how many readers were due, how many of them get a mail."""

    due: int
    planned: int


class _Move(NamedTuple):
    """How one mark moves, from what was read of it."""

    subscription: int
    from_seq: int
    mark: int
    next_due_at: datetime | None
    # No digest had gone to this reader yet; and this is the first.
    had_none: bool
    first: bool = False


class _Owed(NamedTuple):
    """One reader's digest, not yet written; `more` is how many articles the cap kept out."""

    row: _Due
    articles: list[int]
    more: int


def hold(mailing: Mailing) -> bool:
    """Take the mailing's row until this transaction ends; False when its plan is closed.

    A second run at the same slice waits here, so that none adds to a plan that another has
    just declared complete.
    """
    return bool(
        Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.PLANNING).update(
            state=Mailing.State.PLANNING
        )
    )


def due_marks(newsletter: Newsletter, instant: datetime) -> QuerySet[DigestMark]:
    return DigestMark.objects.filter(next_due_at__lte=instant, subscription__newsletter=newsletter)


class Planner:
    """One mailing's slices, with what they all share loaded once."""

    def __init__(self, mailing: Mailing, cutoff: int) -> None:
        self._mailing = mailing
        self._cutoff = cutoff
        self._shelf: Shelf = load_shelf(cutoff, mailing.dated)
        self._times = ReleaseTimes.load()
        self._alerts = AlertsReached.load(mailing.dated)
        self._editions: dict[str, int] = {}
        self._keeper = Keeper(mailing.newsletter, mailing.dated.date())
        self._next_due: dict[tuple[str, int, int, str], datetime] = {}

    def waiting(self) -> Iterator[Sequence[int]]:
        """Yield the subscriptions that are due, a slice at a time, in the order of their ids.

        Looked up in large windows, because a run at eight on a Monday finds most readers due,
        and to sort them anew for every slice would take longer than to plan them.
        """
        last, window = 0, [0]
        while window:
            window = list(
                self._due(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:WINDOW]
            )
            for start in range(0, len(window), SLICE):
                yield window[start : start + SLICE]
            last = window[-1] if window else last

    def slice(self, ids: Sequence[int]) -> Slice | None:
        """Claim these readers and write their deliveries, in the caller's transaction.

        None when the plan was closed meanwhile. Raises Overtaken when another run has taken one
        of them between reading and writing; who was taken before is left alone.
        """
        if not hold(self._mailing):
            return None
        between = {"pk__gte": ids[0], "pk__lte": ids[-1]}
        rows = self._receiving(between)
        owed = self._owed(rows)
        self._move(rows, {one.row.subscription for one in owed if one.row.first_sent_at is None})
        passed = self._pass_over(between) if len(rows) < len(ids) else 0
        # Last, when nobody can overtake any more: the editions it makes are remembered.
        self._write(owed)
        return Slice(len(rows) + passed, len(owed))

    def look(self, ids: Sequence[int]) -> tuple[set[int], list[tuple[int, list[int]]]]:
        """Return whom `slice` would take, and who of them would get which articles; writes
        nothing."""
        rows = self._receiving({"pk__gte": ids[0], "pk__lte": ids[-1]})
        return {row.subscriber for row in rows}, [
            (row.subscriber, articles) for row, articles, _ in self._owed(rows)
        ]

    def _due(self, **pk: int) -> QuerySet[DigestMark]:
        return due_marks(self._mailing.newsletter, self._mailing.dated).filter(**pk)

    def _receiving(self, between: Mapping[str, int]) -> list[_Due]:
        """Return the readers of this stretch of ids who are due and may be mailed."""
        rows = (
            self._recipients()
            .filter(**between, mark__next_due_at__lte=self._mailing.dated)
            .order_by("pk")
            .values_list(
                "pk",
                "subscriber_id",
                "mark__mark",
                "mark__first_sent_at",
                "paused_until",
                "live_at",
                "subscriber__language",
                "cadence",
                "weekday",
                "hour",
                "subscriber__timezone",
            )
        )
        return list(map(_Due._make, rows))

    def _recipients(self) -> QuerySet[Subscription]:
        """Those whom a mailing of the run's own instant goes to."""
        return recipients(self._mailing.newsletter).filter(
            Q(paused_until__isnull=True) | Q(paused_until__lte=self._mailing.dated)
        )

    def _pass_over(self, between: Mapping[str, int]) -> int:
        """Move the marks of readers who are due and get nothing now, and return how many: a live
        one's mark goes with the run, so that nothing piles up."""
        rows = (
            self._due(**between)
            .exclude(subscription__in=self._recipients())
            .order_by("pk")
            .values_list(
                "pk",
                "mark",
                "first_sent_at",
                "subscription__state",
                "subscription__cadence",
                "subscription__weekday",
                "subscription__hour",
                "subscription__subscriber__timezone",
            )
        )
        moves = [
            _Move(
                pk,
                mark,
                max(mark, self._cutoff),
                self._due_after((how, weekday, hour, zone)),
                first is None,
            )
            if state == Subscription.State.LIVE
            else _Move(pk, mark, mark, None, first is None)
            for pk, mark, first, state, how, weekday, hour, zone in rows
        ]
        self._claim(moves)
        return len(moves)

    def _owed(self, rows: Sequence[_Due]) -> list[_Owed]:
        """Choose each reader's articles; readers for whom there are none are left out."""
        follows = self._follows([row.subscriber for row in rows])
        had = self._alerts.among([row.subscriber for row in rows])
        owed = []
        for row in rows:
            articles, more = self._choose(row, follows[row.subscriber], had.get(row.subscriber, ()))
            if articles:
                owed.append(_Owed(row, articles, more))
        return owed

    def _follows(self, subscribers: Sequence[int]) -> defaultdict[int, dict[int, int]]:
        """Return reader → condition → the number after which following began."""
        source, params = row_source(
            (("subscriber", Type.NUMBER),), ((subscriber,) for subscriber in subscribers)
        )
        table = connection.ops.quote_name(Follow._meta.db_table)
        found: defaultdict[int, dict[int, int]] = defaultdict(dict)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT subscriber_id, condition_id, from_seq FROM {source}"  # noqa: S608
                f" JOIN {table} ON {table}.subscriber_id = new.subscriber"
                " WHERE paused_at IS NULL",
                params,
            )
            for subscriber, condition, since in cursor.fetchall():
                found[subscriber][condition] = since
        return found

    def _choose(
        self, row: _Due, follows: dict[int, int], had: Collection[int] = ()
    ) -> tuple[list[int], int]:
        """Return the articles, and how many more there are. `had` came as safety alerts: left
        out, and their places go to the next best."""
        if row.first_sent_at is None:
            # The best of all times; what else there is would be a library, not news.
            return choose_first(self._shelf, follows, cutoff=self._cutoff, had=had), 0
        # Resuming after a pause, and coming back after an end, owe nothing released before.
        resumed = max(self._times.number_at(row.paused_until), self._times.number_at(row.live_at))
        mark, cap = max(row.mark, resumed), CAP + len(had)
        found = choose_new(self._shelf, follows, mark=mark, cutoff=self._cutoff, cap=cap)
        if had:
            found = [article for article in found if article not in had][:CAP]
        if len(found) < CAP:
            return found, 0
        known = self._shelf.how_many(follows, mark=mark, cutoff=self._cutoff, without=had)
        return found, known - CAP

    def _move(self, rows: Sequence[_Due], first: Container[int]) -> None:
        cutoff = self._cutoff
        self._claim(
            [
                _Move(
                    row.subscription,
                    row.mark,
                    max(row.mark, cutoff),
                    self._due_after(row[-4:]),
                    row.first_sent_at is None,
                    row.subscription in first,
                )
                for row in rows
            ]
        )

    def _claim(self, moves: Sequence[_Move]) -> None:
        """Move marks and due times in one statement, which says where each moves from: a mark
        that has moved, or is due later by now, was taken by another run; and where a first digest
        was given back meanwhile, it is again the first."""
        if not moves:
            return
        take_turn(self._mailing.newsletter_id)
        source, params = row_source(
            (
                ("subscription", Type.NUMBER),
                ("from_seq", Type.NUMBER),
                ("mark", Type.NUMBER),
                ("next_due_at", Type.INSTANT),
                ("had_none", Type.NUMBER),
                ("first", Type.NUMBER),
            ),
            moves,
        )
        table = connection.ops.quote_name(DigestMark._meta.db_table)
        dated = connection.ops.adapt_datetimefield_value(self._mailing.dated)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET mark = new.mark, next_due_at = new.next_due_at,"  # noqa: S608
                f" first_sent_at = CASE WHEN new.first = 1 THEN %s ELSE {table}.first_sent_at END"
                f" FROM {source} WHERE {table}.subscription_id = new.subscription"
                f" AND {table}.mark = new.from_seq AND {table}.next_due_at <= %s"
                f" AND ({table}.first_sent_at IS NULL) = (new.had_none = 1)",
                [dated, *params, dated],
            )
            if cursor.rowcount != len(moves):
                raise Overtaken

    def _due_after(self, rhythm: tuple[str, int, int, str]) -> datetime:
        due = self._next_due.get(rhythm)
        if due is None:
            due = self._next_due[rhythm] = next_due(Rhythm(*rhythm), self._mailing.dated)
        return due

    def _write(self, owed: Sequence[_Owed]) -> None:
        parts = [owed[start : start + BATCH] for start in range(0, len(owed), BATCH)]
        batches = Batch.objects.bulk_create(
            Batch(mailing=self._mailing, planned=len(part)) for part in parts
        )
        if not owed:
            return
        self._keep(owed)
        source, params = row_source(
            (
                ("batch", Type.NUMBER),
                ("edition", Type.NUMBER),
                ("subscriber", Type.NUMBER),
                ("place", Type.NUMBER),
                ("articles", Type.JSON),
                ("from_seq", Type.NUMBER),
                ("to_seq", Type.NUMBER),
                ("more", Type.NUMBER),
            ),
            (
                (
                    batch.pk,
                    self._edition(row.language),
                    row.subscriber,
                    place,
                    articles,
                    row.mark,
                    max(row.mark, self._cutoff),
                    more or None,
                )
                for batch, part in zip(batches, parts, strict=True)
                for place, (row, articles, more) in enumerate(part)
            ),
        )
        table = connection.ops.quote_name(Delivery._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (mailing_id, batch_id, edition_id, subscriber_id, place,"  # noqa: S608
                " article_ids, from_seq, to_seq, more, state, skip_reason, attempt, resent, reply)"
                " SELECT %s, batch, edition, subscriber, place, articles, from_seq, to_seq, more,"
                f" %s, '', 0, %s, '' FROM {source}",
                [self._mailing.pk, Delivery.State.QUEUED.value, False, *params],
            )

    def _keep(self, owed: Sequence[_Owed]) -> None:
        """Keep with the plan what these copies are joined from."""
        shown: defaultdict[int, set[int]] = defaultdict(set)
        for row, articles, _ in owed:
            shown[self._edition(row.language)].update(articles)
        for edition, found in shown.items():
            self._keeper.keep(edition, {one: self._shelf.about(one) for one in found})

    def _edition(self, language: str) -> int:
        """Return the edition in the reader's language, or else in the newsletter's."""
        known = self._editions.get(language)
        if known is None:
            known = self._editions[language] = self._make_edition(language)
        return known

    def _make_edition(self, language: str) -> int:
        newsletter = self._mailing.newsletter
        if language not in dict(settings.LANGUAGES):
            language = newsletter.language
        edition, _ = Edition.objects.get_or_create(
            mailing=self._mailing,
            language=language,
            variant="",
            defaults={
                "content": compile_shell(newsletter, language).to_bytes(),
                "format_version": FORMAT_VERSION,
                "pieces": Pieces(newsletter.may_name_conditions).as_json(),
            },
        )
        return edition.pk
