"""What readers and editors do over the years, done to the database and to the plain model alike.

The run itself is the real one. It is watched slice by slice, so that a crash, a second run or a
reader's own deed can fall between any two of its statements or slices, and the model always knows
how far it had come: what was committed counts, and nothing else.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db.models import Q

from newsletter.catalogue.models import ReleaseCounter
from newsletter.editions.models import Article as ArticleRow
from newsletter.editions.models import Release as ReleaseRow
from newsletter.sending import control, digest_run
from newsletter.sending.balance import counts, recount
from newsletter.sending.digest_marks import time_anew
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from newsletter.sending.settle import empty_cancelled
from newsletter.sending.skip import skip
from signup.models import Follow, Subscriber, Subscription
from tests.digests import factories
from tests.digests.alerting import Alerting
from tests.digests.crashes import Crash, cut_at, power_cut
from tests.digests.plain_model import (
    BEGIN,
    FURTHEST,
    WEIGHTS,
    Article,
    Model,
    Reader,
    Rhythm,
    Shelf,
)

MINUTE = timedelta(minutes=1)
DIGESTS = Delivery.objects.filter(mailing__kind=Mailing.Kind.DIGEST)


class World(Alerting):
    """Four readers, four conditions, and a fifth who joins."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = BEGIN
        self.model = Model()
        self.newsletter = factories.DigestNewsletterFactory()
        self.topics = [factories.ConditionFactory(weight=weight) for weight in WEIGHTS]
        self.rows: list[Subscription] = []
        # (at which slice of the next run, what).
        self._meanwhile: list[tuple[int, Callable[[], object]]] = []
        self._slices = 0
        # By mailing: a run that owed nobody is gone, and its minute may have another.
        self._cutoffs: dict[int, int] = {}
        self._shown: dict[tuple[int, str], dict[int, int]] = {}
        # By planner and language, which articles it has come to.
        self._come_to: dict[tuple[Any, str], set[int]] = {}
        # What was on the shelf as each planner began.
        self._shelves: dict[Any, Shelf] = {}
        self._plan_slice = digest_run._plan_slice
        self._keep_up = digest_run.keep_up
        patch.setattr(digest_run, "_plan_slice", self._watched_slice)
        patch.setattr(digest_run, "keep_up", self._watched_sweep)
        for number in range(4):
            self.join(number)

    # Readers.

    def join(self, topic: int) -> None:
        if len(self.rows) >= 5:
            return
        with self._frozen():
            row = factories.reader(self.newsletter, self.topics[topic], hour=5, live_at=self.now)
        language = ("en", "es")[len(self.rows) % 2]
        Subscriber.objects.filter(pk=row.subscriber_id).update(language=language)
        self.rows.append(row)
        self.model.readers[row.pk] = Reader(
            row.pk,
            Rhythm("weekly", 0, 5, "UTC"),
            self.now,
            follows={topic: self.model.counter},
            language=language,
        )

    def follow(self, who: int, topic: int) -> None:
        row, reader = self._reader(who)
        follow = Follow.objects.filter(subscriber=row.subscriber, condition=self.topics[topic])
        if topic in reader.paused:
            follow.update(paused_at=None, from_seq=ReleaseCounter.current())
            reader.paused.discard(topic)
        elif topic in reader.follows:
            return
        else:
            with self._frozen():
                factories.follow(row.subscriber, self.topics[topic])
        reader.follows[topic] = self.model.counter

    def unfollow(self, who: int, topic: int) -> None:
        row, reader = self._reader(who)
        Follow.objects.filter(subscriber=row.subscriber, condition=self.topics[topic]).delete()
        reader.follows.pop(topic, None)
        reader.paused.discard(topic)

    def pause_topic(self, who: int, topic: int) -> None:
        row, reader = self._reader(who)
        if topic in reader.follows:
            reader.paused.add(topic)
            Follow.objects.filter(subscriber=row.subscriber, condition=self.topics[topic]).update(
                paused_at=self.now
            )

    def rhythm(self, who: int, rhythm: Rhythm) -> None:
        row, reader = self._reader(who)
        reader.rhythm = rhythm
        cadence, weekday, hour, zone = rhythm
        Subscription.objects.filter(pk=row.pk).update(cadence=cadence, weekday=weekday, hour=hour)
        Subscriber.objects.filter(pk=row.subscriber_id).update(timezone=zone)
        self._time_anew(reader)

    def pause(self, who: int, days: int) -> None:
        """Of no days: a pause that is ended now."""
        row, reader = self._reader(who)
        reader.paused_until = self.now + timedelta(days=days)
        Subscription.objects.filter(pk=row.pk).update(paused_until=reader.paused_until)
        self._time_anew(reader)

    def consent(self, who: int) -> None:
        """Take the health consent back, or give it again."""
        row, reader = self._reader(who)
        reader.consents = not reader.consents
        kept = row.subscriber.health_consent if reader.consents else None
        Subscriber.objects.filter(pk=row.subscriber_id).update(health_consent=kept)

    def leave_or_return(self, who: int) -> None:
        row, reader = self._reader(who)
        if reader.live:
            change: dict[str, Any] = {"state": "ended", "ended_reason": "unsubscribed"}
            change["consent"] = None
        else:
            change = {"state": "live", "ended_reason": "", "live_at": self.now}
            change["consent"] = row.consent
            reader.joined = self.now
        reader.live = not reader.live
        Subscription.objects.filter(pk=row.pk).update(**change)
        self._time_anew(reader)

    # Editors.

    def release(self, topics: set[int], weight: int) -> None:
        with self._frozen():
            row = factories.released(*(self.topics[one] for one in topics), weight=weight)
        self.model.articles[row.pk] = Article(frozenset(topics), weight)
        self.model.release(row.pk, self.now)

    def again(self, number: int) -> None:
        if row := self._article(number):
            with self._frozen():
                factories.release_row(row)
            self.model.release(row.pk, self.now)

    def withdraw(self, number: int) -> None:
        if row := self._article(number):
            ReleaseRow.objects.filter(article=row, withdrawn_at__isnull=True).update(
                withdrawn_at=self.now
            )
            self.model.withdraw(row.pk)

    def retag(self, number: int, topics: set[int]) -> None:
        if row := self._article(number):
            row.conditions.set([self.topics[one] for one in topics])
            row.save()
            self.model.articles[row.pk].topics = frozenset(topics)

    def unpublish_or_publish(self, number: int) -> None:
        if row := self._article(number):
            article = self.model.articles[row.pk]
            article.live = not article.live
            ArticleRow.objects.filter(pk=row.pk).update(live=article.live)

    def review(self, number: int, days: int | None) -> None:
        """Set by when it must be reviewed again: days from today, past ones too."""
        if row := self._article(number):
            due = None if days is None else self.now.date() + timedelta(days=days)
            self.model.articles[row.pk].review_due = due
            ArticleRow.objects.filter(pk=row.pk).update(review_due=due)

    # What becomes of copies.

    def sent(self, number: int) -> None:
        """A mailing's copies are taken by the relay: nothing of it is given back any more."""
        if mailing := self._mailing(number):
            for batch in Batch.objects.filter(mailing=mailing):
                queued = batch.deliveries.filter(state="queued")
                batch.accepted += queued.update(state="accepted", outcome_at=self.now)
                batch.state = Batch.State.DONE
                batch.save()
            for reader in self.model.readers.values():
                reader.stretches.pop(mailing.dated, None)

    def cancel(self, number: int) -> None:
        mailing = self._mailing(number)
        if mailing and mailing.state != Mailing.State.CANCELLED:
            control.cancel(mailing=mailing)
            empty_cancelled(mailing)
            for reader in self.model.readers.values():
                if mailing.dated in reader.stretches:
                    self.model.given_back(reader, mailing.dated)

    def skip(self, number: int) -> None:
        """One copy is skipped as it is about to be handed over."""
        queued = DIGESTS.filter(state="queued").exclude(mailing__state="planning")
        if ids := list(queued.order_by("pk").values_list("pk", flat=True)):
            row = Delivery.objects.select_related("mailing").get(pk=ids[number % len(ids)])
            reason = Delivery.SkipReason.NOTHING_LEFT
            skip(row.mailing, Batch.objects.filter(pk=row.batch_id), {reason: [(row.pk, False)]})
            for reader in self.model.readers.values():
                if self._row(reader).subscriber_id == row.subscriber_id:
                    self.model.given_back(reader, row.mailing.dated)

    # The clock, and the run.

    def until_somebody_is_due(self) -> datetime:
        """The next full minute at which somebody is; an hour from now if nobody will be."""
        next_minute = self.now.replace(second=0, microsecond=0) + MINUTE
        due = [one.due_at for one in self.model.readers.values() if one.due_at is not None]
        if not due:
            return next_minute + timedelta(hours=1)
        soonest = min(due)
        up = soonest.replace(second=0, microsecond=0)
        return max(next_minute, up if up == soonest else up + MINUTE)

    def run(self, at: datetime, crash: tuple[str, int] | None = None) -> None:
        """The run of this minute. `crash` says where it ends: at the n-th statement, or right
        after the n-th slice was committed."""
        self.now = at
        self._slices = 0
        # Who becomes due in the middle may be behind the run already, and waits for the next.
        something_happens = bool(self._meanwhile)
        if crash and crash[0] == "after":
            self._meanwhile.append((crash[1] + 1, power_cut))
        with self._at(at):
            try:
                with cut_at(crash[1]) if crash and crash[0] == "at" else contextlib.nullcontext():
                    digest_run.run_due(at)
            except Crash:
                assert crash
                self._note_how_far_it_came()
                return
            finally:
                self._meanwhile.clear()
        if not something_happens:
            self._nobody_was_left(at)
        assert not Mailing.objects.filter(state="planning").exists()

    def run_and(self, at: datetime, slice_: int, what: Callable[[], object]) -> None:
        """The run of this minute, and before its n-th slice something else."""
        self._meanwhile.append((slice_, what))
        self.run(at)

    def another_run(self, later: timedelta) -> None:
        """What a second process does between two slices of this run: all of the work."""
        here, self.now = self.now, self.now + later
        with self._at(self.now):
            digest_run.run_due(self.now)
        self.now = here

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # What must be so.

    def agrees(self) -> None:
        """Everybody was sent what the rules say, in their order, and nothing else."""
        for reader in self.model.readers.values():
            planned = (
                DIGESTS.filter(subscriber=self._row(reader).subscriber_id)
                .exclude(state="skipped")
                .order_by("pk")
            )
            assert list(planned.values_list("mailing__dated", "article_ids")) == reader.got
            mark = DigestMark.objects.filter(pk=reader.subscription).first()
            if reader.mark is None:
                assert mark is None
            else:
                assert mark is not None
                assert (mark.mark, mark.next_due_at) == (reader.mark, reader.due_at)
        self._nothing_came_twice()
        self._each_was_shown_one_version()
        for mailing in Mailing.objects.all():
            assert counts(mailing) == recount(mailing)

    def _nothing_came_twice(self) -> None:
        """Asked of the database alone: an article comes again only when it was announced again
        within what that later digest took from the mark."""
        numbers: dict[int, list[int]] = {}
        for article, seq in ReleaseRow.objects.values_list("article_id", "seq"):
            numbers.setdefault(article, []).append(seq)
        for row in self.rows:
            mails: dict[int, list[tuple[int, int]]] = {}
            for articles, after, upto in (
                DIGESTS.filter(subscriber=row.subscriber_id)
                .exclude(state="skipped")
                .order_by("pk")
                .values_list("article_ids", "from_seq", "to_seq")
            ):
                assert len(set(articles)) == len(articles)
                for article in articles:
                    mails.setdefault(article, []).append((after, upto))
            for article, stretches in mails.items():
                for (_, before), (after, upto) in pairwise(stretches):
                    assert before <= after
                    assert any(after < seq <= upto for seq in numbers[article])

    # Within.

    def _watched_slice(self, planner: Any, ids: Any) -> Any:
        dated, cutoff = planner._mailing.dated, planner._cutoff
        mailing = planner._mailing.pk
        assert self._cutoffs.setdefault(mailing, self.model.counter) == cutoff
        shelf = self._shelves.setdefault(planner, self.model.shelf())
        self._slices += 1
        for slice_, what in list(self._meanwhile):
            if slice_ == self._slices:
                self._meanwhile.remove((slice_, what))
                what()
        done = self._plan_slice(planner, ids)
        if done is not None:
            for reader in self.model.due(dated):
                if ids[0] <= reader.subscription <= ids[-1]:
                    articles = self.model.digest(reader, dated, cutoff, shelf)
                    known = self._come_to.setdefault((planner, reader.language), set())
                    self._note_versions(mailing, reader.language, set(articles) - known)
                    known.update(articles)
        return done

    def _watched_sweep(self, newsletter: Any, now: datetime) -> int:
        found = self._keep_up(newsletter, now)
        if newsletter == self.newsletter:
            self.model.looked_through(now)
        return found

    def _note_how_far_it_came(self) -> None:
        for mailing in Mailing.objects.filter(state="planning").values_list("pk", flat=True):
            self._cutoffs.setdefault(mailing, self.model.counter)
        # As `keep_up` asks it: a sweep that the crash undid has mended nobody's due time.
        lacking = Q(mark__next_due_at__isnull=True) | Q(mark__next_due_at__gt=self.now + FURTHEST)
        if not Subscription.objects.live().filter(lacking).exists():
            self.model.looked_through(self.now)

    def _nobody_was_left(self, at: datetime) -> None:
        """Who is due was planned, unless this minute's run had been made before."""
        closed = Mailing.objects.exclude(state="planning")
        if self.model.due(at):
            assert closed.filter(purpose=f"digest {at:%Y-%m-%dT%H:%MZ}").exists()

    def _time_anew(self, reader: Reader) -> None:
        with self._frozen():
            time_anew([reader.subscription])
        self.model.timed_anew(reader, self.now)

    def _reader(self, who: int) -> tuple[Subscription, Reader]:
        row = self.rows[who % len(self.rows)]
        return row, self.model.readers[row.pk]

    def _row(self, reader: Reader) -> Subscription:
        return next(row for row in self.rows if row.pk == reader.subscription)

    def _article(self, number: int) -> ArticleRow | None:
        known = sorted(self.model.articles)
        return ArticleRow.objects.get(pk=known[number % len(known)]) if known else None

    def _mailing(self, number: int) -> Mailing | None:
        known = list(
            Mailing.objects.filter(kind="digest").exclude(state="planning").order_by("-pk")[:4]
        )
        return known[number % len(known)] if known else None

    @contextlib.contextmanager
    def _at(self, at: datetime) -> Iterator[None]:
        with time_machine.travel(at, tick=False):
            yield

    def _frozen(self) -> contextlib.AbstractContextManager[None]:
        return self._at(self.now)
