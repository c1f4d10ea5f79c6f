"""Random months of readers' and editors' doings, against a plain in-memory model of the rules.

The model knows no SQL, no slices and no due times worked out ahead: it looks at the clock every
six hours and at the whole list of releases each time.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.catalogue.models import ReleaseCounter
from newsletter.rendering.digest import compile_shell
from newsletter.sending import digest_slice
from newsletter.sending.digest_marks import give_back, time_anew
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery, Mailing
from signup.models import Follow, Subscription
from tests.digests import factories

pytestmark = pytest.mark.django_db

BEGIN = factories.utc(2026, 1, 1)
TICK = timedelta(hours=6)
WEIGHTS = [3, 1, 2, 0]
# With a tick every six hours, these hours of these zones fall on a tick all year round.
ZONES = {"UTC": [0, 6, 12, 18], "Asia/Tokyo": [3, 9, 15, 21]}
CAP = 7

readers = st.integers(0, 3)
topics = st.integers(0, len(WEIGHTS) - 1)
actions = st.one_of(
    st.tuples(st.just("release"), st.sets(topics, min_size=1), st.integers(0, 1)),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("withdraw"), st.integers(0, 50)),
    st.tuples(st.just("follow"), readers, topics),
    st.tuples(st.just("unfollow"), readers, topics),
    st.tuples(st.just("pause topic"), readers, topics),
    st.tuples(
        st.just("rhythm"),
        readers,
        st.sampled_from(["immediate", "daily", "weekly", "monthly"]),
        st.integers(0, 6),
        st.integers(0, 3),
        st.sampled_from(sorted(ZONES)),
    ),
    st.tuples(st.just("pause"), readers, st.integers(0, 40)),
    st.tuples(st.just("leave"), readers),
    st.tuples(st.just("return"), readers),
    st.tuples(st.just("cancel")),
)
lives = st.lists(st.tuples(st.integers(0, 12), actions), min_size=5, max_size=30)


@dataclass
class Reader:
    row: Subscription
    joined: datetime
    mark: int = 0
    first_done: bool = False
    first_due: bool = True
    live: bool = True
    follows: dict[int, int] = field(default_factory=dict)
    paused: set[int] = field(default_factory=set)
    paused_until: datetime | None = None
    got: list[tuple[datetime, list[int]]] = field(default_factory=list)
    # (run, mark before, mark after, whether it was the first) of what may still be cancelled.
    stretches: dict[datetime, tuple[int, int, bool]] = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        if self.first_due:
            return True
        wall = now.astimezone(ZoneInfo(self.row.subscriber.timezone))
        on_the_hour = wall.hour == self.row.hour
        on_the_day = wall.weekday() == self.row.weekday
        return {
            "immediate": True,
            "daily": on_the_hour,
            "weekly": on_the_hour and on_the_day,
            "monthly": on_the_hour and on_the_day and wall.day <= 7,
        }[self.row.cadence]


@dataclass
class Release:
    seq: int
    article: int
    topics: frozenset[int]
    weight: int
    at: datetime
    withdrawn: bool = False


class World:
    def __init__(self) -> None:
        self.now = BEGIN
        self.newsletter = factories.DigestNewsletterFactory()
        self.topics = [factories.ConditionFactory(weight=weight) for weight in WEIGHTS]
        self.releases: list[Release] = []
        self.articles: dict[int, object] = {}
        self.readers: list[Reader] = []
        for number in range(4):
            row = factories.reader(self.newsletter, self.topics[number], hour=6, live_at=self.now)
            self.readers.append(Reader(row, self.now, follows={number: 0}))

    # What happens, to the rows and to the model alike.

    def release(self, topics, weight):
        conditions = [self.topics[number] for number in topics]
        article = factories.released(*conditions, weight=weight)
        self.articles[article.pk] = article
        self._note(article, frozenset(topics), weight)

    def again(self, number):
        if standing := [one for one in self.releases if not one.withdrawn]:
            one = standing[number % len(standing)]
            factories.release_row(self.articles[one.article])
            self._note(self.articles[one.article], one.topics, one.weight)

    def withdraw(self, number):
        if self.releases:
            article = self.releases[number % len(self.releases)].article
            self.articles[article].releases.update(withdrawn_at=self.now)
            for one in self.releases:
                one.withdrawn |= one.article == article

    def follow(self, who, topic):
        reader = self.readers[who]
        if topic in reader.paused:
            Follow.objects.filter(
                subscriber=reader.row.subscriber, condition=self.topics[topic]
            ).update(paused_at=None, from_seq=ReleaseCounter.current())
            reader.paused.discard(topic)
        elif topic in reader.follows:
            return
        else:
            factories.follow(reader.row.subscriber, self.topics[topic])
        reader.follows[topic] = len(self.releases)

    def unfollow(self, who, topic):
        reader = self.readers[who]
        Follow.objects.filter(
            subscriber=reader.row.subscriber, condition=self.topics[topic]
        ).delete()
        reader.follows.pop(topic, None)
        reader.paused.discard(topic)

    def pause_topic(self, who, topic):
        reader = self.readers[who]
        if topic in reader.follows:
            reader.paused.add(topic)
            Follow.objects.filter(
                subscriber=reader.row.subscriber, condition=self.topics[topic]
            ).update(paused_at=self.now)

    def rhythm(self, who, cadence, weekday, hour, zone):
        reader = self.readers[who]
        row, subscriber = reader.row, reader.row.subscriber
        row.cadence, row.weekday, row.hour = cadence, weekday, ZONES[zone][hour]
        subscriber.timezone = zone
        subscriber.save()
        self._save(row, "cadence", "weekday", "hour")
        time_anew([row.pk])
        reader.first_due = not reader.first_done

    def pause(self, who, days):
        reader = self.readers[who]
        reader.paused_until = self.now + timedelta(days=days)
        reader.row.paused_until = reader.paused_until
        self._save(reader.row, "paused_until")
        time_anew([reader.row.pk])
        reader.first_due = not reader.first_done

    def leave(self, who):
        reader = self.readers[who]
        if reader.live:
            reader.live = False
            row = reader.row
            row.state, row.ended_reason, row.old, row.consent = (
                "ended",
                "unsubscribed",
                row.consent,
                None,
            )
            self._save(row, "state", "ended_reason", "consent")

    def come_back(self, who):
        reader = self.readers[who]
        if not reader.live:
            reader.live, reader.joined = True, self.now
            row = reader.row
            row.state, row.ended_reason, row.consent, row.live_at = "live", "", row.old, self.now
            self._save(row, "state", "ended_reason", "consent", "live_at")
            time_anew([row.pk])
            reader.first_due = not reader.first_done

    def cancel(self):
        mailing = Mailing.objects.order_by("-pk").first()
        if mailing is None:
            return
        Delivery.objects.filter(mailing=mailing).update(state="skipped", skip_reason="cancelled")
        give_back(Delivery.objects.filter(mailing=mailing).values_list("pk", flat=True))
        for reader in self.readers:
            if stretch := reader.stretches.pop(mailing.dated, None):
                before, after, first = stretch
                reader.got = [each for each in reader.got if each[0] != mailing.dated]
                if reader.mark == after:
                    reader.mark = before
                    reader.first_done = reader.first_done and not first
        Mailing.objects.filter(pk=mailing.pk).update(state="cancelled")

    # The run, and what the rules say of it.

    def tick(self):
        self.now += TICK
        with time_machine.travel(self.now, tick=False):
            for reader in self.readers:
                if reader.live and reader.is_due(self.now):
                    self._digest(reader)
            run_due(self.now)

    def _digest(self, reader):
        cutoff = len(self.releases)
        first, reader.first_due = not reader.first_done, False
        articles = [] if self._sleeps(reader) else self._choose(reader, first)
        if articles:
            reader.got.append((self.now, articles))
            reader.stretches[self.now] = (reader.mark, cutoff, first)
            reader.first_done = True
        reader.mark = cutoff

    def _sleeps(self, reader):
        return reader.paused_until is not None and reader.paused_until > self.now

    def _choose(self, reader, first):
        topics = [topic for topic in reader.follows if topic not in reader.paused]
        topics.sort(key=lambda topic: -WEIGHTS[topic])
        fit = [one for one in self.releases if not one.withdrawn]
        if first:
            chosen = []
            for _ in range(2):
                for topic in topics:
                    row = [one for one in fit if topic in one.topics and one.article not in chosen]
                    row.sort(key=lambda one: (one.weight, one.seq))
                    if row:
                        chosen.append(row[-1].article)
            return chosen[:CAP]
        places = {}
        for one in fit:
            since = [reader.mark]
            late = one.at >= reader.joined
            late &= reader.paused_until is None or one.at >= reader.paused_until
            for topic in topics:
                if late and topic in one.topics and one.seq > max(*since, reader.follows[topic]):
                    place = (WEIGHTS[topic], one.weight, one.seq)
                    places[one.article] = max(place, places.get(one.article, place))
        return sorted(places, key=places.__getitem__, reverse=True)[:CAP]

    def _note(self, article, topics, weight):
        self.releases.append(Release(len(self.releases) + 1, article.pk, topics, weight, self.now))

    def _save(self, row, *fields):
        Subscription.objects.filter(pk=row.pk).update(
            **{name: getattr(row, name) for name in fields}
        )


@pytest.fixture
def one_shell(monkeypatch):
    """What the mail looks like is not asked here, so it is compiled once and not per run."""
    shell = compile_shell(factories.DigestNewsletterFactory(), "en")
    monkeypatch.setattr(digest_slice, "compile_shell", lambda newsletter, language: shell)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(lives)
def test_what_is_planned_is_what_the_rules_say(one_shell, life):
    with transaction.atomic():
        with time_machine.travel(BEGIN, tick=False):
            world = World()
        for ticks, (what, *how) in life:
            for _ in range(ticks):
                world.tick()
            with time_machine.travel(world.now, tick=False):
                {"return": world.come_back, "pause topic": world.pause_topic}.get(
                    what, getattr(world, what.split()[0], None)
                )(*how)
        for _ in range(8 * 4):
            world.tick()
        for reader in world.readers:
            planned = (
                Delivery.objects.filter(subscriber=reader.row.subscriber)
                .exclude(state="skipped")
                .order_by("mailing__dated")
            )
            assert list(planned.values_list("mailing__dated", "article_ids")) == reader.got
        transaction.set_rollback(True)
