"""The rules of digests once more, as plainly as they can be said: a list of releases, a list of
readers and a clock on a wall. No SQL, no slices, nothing remembered to be quicker.

`lives` does the same to this and to the database and holds one against the other.
"""

import functools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
# Longer than any life that is told here, a clock gone wrong included.
END = BEGIN + timedelta(days=6 * 366)
QUARTER = timedelta(minutes=15)
# Whole, half and quarter hours from UTC; clocks that change in spring and in autumn, and not.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)
# None that a clock there ever skips or repeats: test_due_times has those.
HOURS = (5, 12, 21)
CAP = 7
FURTHEST = timedelta(days=40)
REMEMBERED = timedelta(days=62)
# By the number of the topic; a heavier one comes first.
WEIGHTS = (3, 1, 2, 0)


class Rhythm(NamedTuple):
    cadence: str
    weekday: int
    hour: int
    zone: str


@functools.cache
def _shown_on(zone: str) -> dict[int, list[datetime]]:
    """By hour, when that wall clock shows it: found by looking at it every quarter of an hour."""
    where = ZoneInfo(zone)
    found: dict[int, list[datetime]] = {hour: [] for hour in HOURS}
    at = BEGIN - timedelta(days=40)
    while at < END:
        wall = at.astimezone(where)
        if wall.minute == 0 and wall.hour in found:
            found[wall.hour].append(at)
        at += QUARTER
    return found


def next_due(rhythm: Rhythm, after: datetime) -> datetime:
    if rhythm.cadence == "immediate":
        return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    where = ZoneInfo(rhythm.zone)
    instants = _shown_on(rhythm.zone)[rhythm.hour]
    for at in instants[bisect_right(instants, after) :]:
        wall = at.astimezone(where)
        if rhythm.cadence == "daily":
            return at
        if wall.weekday() == rhythm.weekday and (rhythm.cadence == "weekly" or wall.day <= 7):
            return at
    raise AssertionError("the life is longer than the calendar")


@dataclass
class Article:
    topics: frozenset[int]
    weight: int
    live: bool = True
    review_due: date | None = None
    # Its one translation's id, and whether that is live.
    translation: int | None = None
    translation_live: bool = True


class Alert(NamedTuple):
    at: datetime
    # The readers whom it reached, or may have.
    had: frozenset[int]


class Release(NamedTuple):
    seq: int
    article: int
    at: datetime


class Stretch(NamedTuple):
    """What one digest took from the mark, while it may still be given back."""

    before: int
    after: int
    was_first: bool


@dataclass
class Reader:
    subscription: int
    rhythm: Rhythm
    joined: datetime
    # None until the run that finds a new reader.
    mark: int | None = None
    due_at: datetime | None = None
    first_done: bool = False
    live: bool = True
    consents: bool = True
    follows: dict[int, int] = field(default_factory=dict)
    paused: set[int] = field(default_factory=set)
    paused_until: datetime | None = None
    language: str = "en"
    # Safety alerts may come during a pause too.
    alerts_in_pauses: bool = False
    # What this reader was sent, run by run.
    got: list[tuple[datetime, list[int]]] = field(default_factory=list)
    stretches: dict[datetime, Stretch] = field(default_factory=dict)


class Shelf(NamedTuple):
    """What a run found when it began. What is taken back later is taken out as a copy is made."""

    articles: dict[int, Article]
    withdrawn: frozenset[int]
    alerts: dict[int, Alert]
    # When each article was last announced, of what still stands.
    announced: dict[int, datetime]

    def had(self, article: int, reader: int, dated: datetime) -> bool:
        """This reader has it as a safety alert, and nothing is new about it since."""
        alert = self.alerts.get(article)
        if alert is None or reader not in alert.had or alert.at <= dated - REMEMBERED:
            return False
        return article not in self.announced or self.announced[article] <= alert.at

    def holds(self, one: Release, dated: datetime) -> bool:
        article = self.articles[one.article]
        overdue = article.review_due is not None and article.review_due < dated.date()
        return one.seq not in self.withdrawn and article.live and not overdue


@dataclass
class Model:
    articles: dict[int, Article] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    readers: dict[int, Reader] = field(default_factory=dict)
    alerts: dict[int, Alert] = field(default_factory=dict)

    @property
    def counter(self) -> int:
        return len(self.releases)

    def release(self, article: int, at: datetime) -> None:
        self.releases.append(Release(self.counter + 1, article, at))

    def withdraw(self, article: int) -> None:
        self.withdrawn.update(one.seq for one in self.releases if one.article == article)

    def shelf(self) -> Shelf:
        articles = {number: replace(article) for number, article in self.articles.items()}
        standing = [one for one in self.releases if one.seq not in self.withdrawn]
        announced = {
            article: max(one.at for one in standing if one.article == article)
            for article in {one.article for one in standing}
        }
        return Shelf(articles, frozenset(self.withdrawn), dict(self.alerts), announced)

    def alert(self, article: int, at: datetime) -> set[int]:
        """Return the readers who get it: who may be mailed and follow what it is about, during a
        pause of everything or of the topic only if they chose so."""
        found = set()
        for reader in self.readers.values():
            awake = reader.paused_until is None or reader.paused_until <= at
            topics = set(reader.follows)
            if not reader.alerts_in_pauses:
                topics -= reader.paused
            concerned = not topics.isdisjoint(self.articles[article].topics)
            reachable = reader.live and reader.consents and (awake or reader.alerts_in_pauses)
            if reachable and concerned:
                found.add(reader.subscription)
        return found

    def version(self, article: int, language: str) -> int:
        """Return what a reader is shown of it: the translation, if there is one that stands."""
        one = self.articles[article]
        if language == "es" and one.translation is not None and one.translation_live:
            return one.translation
        return article

    def timed_anew(self, reader: Reader, now: datetime) -> None:
        """The reader chose another rhythm, paused, or came back."""
        if not reader.live:
            return
        if reader.mark is None:
            self._begin(reader, now)
        elif reader.due_at is None or reader.due_at > now or reader.due_at < reader.joined:
            reader.due_at = next_due(reader.rhythm, now) if reader.first_done else now
        elif reader.first_done:
            # A digest that is due, and late, is not put off by a change made while it waits.
            reader.due_at = now + timedelta(seconds=1)

    def looked_through(self, now: datetime) -> None:
        """Every live reader has a mark and a due time that is not absurd."""
        for reader in self.readers.values():
            if not reader.live:
                continue
            if reader.mark is None:
                self._begin(reader, now)
            elif reader.due_at is None or reader.due_at > now + FURTHEST:
                reader.due_at = next_due(reader.rhythm, now) if reader.first_done else now

    def due(self, at: datetime) -> list[Reader]:
        return [one for one in self.readers.values() if one.due_at is not None and one.due_at <= at]

    def digest(self, reader: Reader, dated: datetime, cutoff: int, shelf: Shelf) -> list[int]:
        """One run comes to one reader who is due. Return what the digest holds, if there is one."""
        if not reader.live:
            reader.due_at = None
            return []
        assert reader.mark is not None
        after = max(reader.mark, cutoff)
        articles = self._owed(reader, dated, cutoff, shelf)
        if articles:
            reader.got.append((dated, articles))
            reader.stretches[dated] = Stretch(reader.mark, after, not reader.first_done)
            reader.first_done = True
        reader.mark = after
        reader.due_at = next_due(reader.rhythm, dated)
        return articles

    def given_back(self, reader: Reader, dated: datetime) -> None:
        stretch = reader.stretches.pop(dated)
        reader.got = [one for one in reader.got if one[0] != dated]
        if reader.mark == stretch.after:
            reader.mark = stretch.before
            reader.first_done = reader.first_done and not stretch.was_first

    def _begin(self, reader: Reader, now: datetime) -> None:
        reader.mark = max((one.seq for one in self.releases if one.at < reader.joined), default=0)
        reader.due_at = now

    def _owed(self, reader: Reader, dated: datetime, cutoff: int, shelf: Shelf) -> list[int]:
        pauses = reader.paused_until is not None and reader.paused_until > dated
        if pauses or not reader.consents:
            return []
        fit = [
            one
            for one in self.releases
            if one.seq <= cutoff
            and shelf.holds(one, dated)
            and not shelf.had(one.article, reader.subscription, dated)
        ]
        topics = sorted(set(reader.follows) - reader.paused, key=lambda topic: -WEIGHTS[topic])
        choose = self._new if reader.first_done else self._best
        return choose(reader, topics, fit, shelf)

    def _best(
        self,
        reader: Reader,
        topics: Sequence[int],
        fit: Sequence[Release],
        shelf: Shelf,
    ) -> list[int]:
        """A first digest: the best of each topic, then the second best of each. Alerts come
        first, and so do topics that have one."""
        articles, chosen = shelf.articles, list[int]()

        def best(topic: int, without: Sequence[int]) -> tuple[bool, int, int, int] | None:
            return max(
                (
                    (
                        one.article in shelf.alerts,
                        articles[one.article].weight,
                        one.seq,
                        one.article,
                    )
                    for one in fit
                    if topic in articles[one.article].topics and one.article not in without
                ),
                default=None,
            )

        def has_alert(topic: int) -> bool:
            first = best(topic, ())
            return first is not None and first[0]

        for _ in range(2):
            for topic in sorted(topics, key=lambda topic: not has_alert(topic)):
                if found := best(topic, chosen):
                    chosen.append(found[-1])
        return sorted(chosen[:CAP], key=lambda article: article not in shelf.alerts)

    def _new(
        self,
        reader: Reader,
        topics: Sequence[int],
        fit: Sequence[Release],
        shelf: Shelf,
    ) -> list[int]:
        """What is new since the mark, and not from before the reader followed or was back."""
        assert reader.mark is not None
        places: dict[int, tuple[bool, int, int, int]] = {}
        for one in fit:
            if one.at < reader.joined or one.seq <= reader.mark:
                continue
            if reader.paused_until is not None and one.at < reader.paused_until:
                continue
            article = shelf.articles[one.article]
            for topic in article.topics.intersection(topics):
                if one.seq > reader.follows[topic]:
                    safety = one.article in shelf.alerts
                    place = (safety, WEIGHTS[topic], article.weight, one.seq)
                    places[one.article] = max(place, places.get(one.article, place))
        return sorted(places, key=places.__getitem__, reverse=True)[:CAP]
