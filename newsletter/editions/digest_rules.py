"""What a digest holds: pure choice, from what a reader follows and what was released.

No query and no clock here. The run (sending.digest_run) brings the shelf and the reader's
marks; these functions answer with article ids. Every rule is written out in docs/digests.md.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

# What one mail shows at most. The rest counts as shown, behind "more on the web".
CAP = 7
# What the first digest shows of each condition.
BEST = 2
# Stretches remembered for other readers of the same run; beyond them it begins anew.
_REMEMBERED = 50_000


class Released(NamedTuple):
    """One release of one article, as the rules need it."""

    seq: int
    article: int
    weight: int
    conditions: frozenset[int]
    # A safety alert, for a reader whom the alert itself did not reach: before everything else.
    safety: bool = False


class _Place(NamedTuple):
    """Where an article would stand in a mail; the greater place is the earlier one."""

    safety: bool
    rank: int
    weight: int
    seq: int
    article: int


class Shelf:
    """The releases that digests may take from, laid out by condition."""

    def __init__(self, releases: Iterable[Released], condition_weights: Mapping[int, int]) -> None:
        self._weights = condition_weights
        self._by_condition: dict[int, list[Released]] = {}
        self._about: dict[int, frozenset[int]] = {}
        for released in sorted(releases):
            self._about[released.article] = released.conditions
            for condition in released.conditions:
                self._by_condition.setdefault(condition, []).append(released)
        self._seqs = {
            condition: [released.seq for released in row]
            for condition, row in self._by_condition.items()
        }
        self._best: dict[tuple[int, int, int, int], tuple[_Place, ...]] = {}
        # A bit for each article, and for each stretch the bits of what is in it.
        self._bits = {article: 1 << place for place, article in enumerate(self._about)}
        self._masks: dict[tuple[int, int, int], int] = {}

    def between(self, condition: int, after: int, upto: int) -> list[Released]:
        """Return the condition's releases with after < seq <= upto, oldest first."""
        seqs = self._seqs.get(condition)
        if not seqs:
            return []
        return self._by_condition[condition][bisect_right(seqs, after) : bisect_right(seqs, upto)]

    def best_between(self, condition: int, after: int, upto: int, cap: int) -> tuple[_Place, ...]:
        """Return the `cap` best places of different articles in that stretch, best first.

        Worked out once for all readers who have the stretch in common, which in a run are many.
        No mail can hold more of one condition than fits into it, so the rest is never looked at.
        """
        key = (condition, after, upto, cap)
        found = self._best.get(key)
        if found is None:
            if len(self._best) >= _REMEMBERED:
                self._best.clear()
            rank = self.rank(condition)
            places = sorted(
                (
                    _Place(released.safety, rank, released.weight, released.seq, released.article)
                    for released in self.between(condition, after, upto)
                ),
                reverse=True,
            )
            # Announced twice, shown once: at its better place.
            first = {place.article: place for place in reversed(places)}
            found = self._best[key] = tuple(sorted(first.values(), reverse=True)[:cap])
        return found

    def how_many(
        self, follows: Mapping[int, int], *, mark: int, cutoff: int, without: Iterable[int] = ()
    ) -> int:
        """Return how many different articles `choose_new` would choose from, by masks of bits."""
        found = 0
        for condition, since in follows.items():
            key = (condition, since if since > mark else mark, cutoff)
            mask = self._masks.get(key)
            if mask is None:
                if len(self._masks) >= _REMEMBERED:
                    self._masks.clear()
                mask = 0
                for released in self.between(*key):
                    mask |= self._bits[released.article]
                self._masks[key] = mask
            found |= mask
        for article in without:
            found &= ~self._bits.get(article, 0)
        return found.bit_count()

    def about(self, article: int) -> list[int]:
        """Return what the article is about, the condition that readers see first in front."""
        return sorted(self._about.get(article, ()), key=lambda one: (-self.rank(one), one))

    def rank(self, condition: int) -> int:
        """Return how early the condition comes in a mail; larger is earlier."""
        return self._weights.get(condition, 0)


def choose_new(
    shelf: Shelf, follows: Mapping[int, int], *, mark: int, cutoff: int, cap: int = CAP
) -> list[int]:
    """Return the articles of the next digest, in the order in which the mail shows them.

    `follows` maps each condition followed to the release number at which following began:
    nothing at or before it is owed, nor anything at or before `mark`.
    """
    places: list[_Place] = []
    for condition, since in follows.items():
        places += shelf.best_between(condition, since if since > mark else mark, cutoff, cap)
    places.sort(reverse=True)
    # One article on two conditions is shown once: at its best place, which comes first here.
    return list(dict.fromkeys([place.article for place in places]))[:cap]


def choose_first(
    shelf: Shelf,
    conditions: Iterable[int],
    *,
    cutoff: int,
    had: Collection[int] = (),
    best: int = BEST,
    cap: int = CAP,
) -> list[int]:
    """Return the articles of a reader's first digest: the best of each condition chosen.

    `had` came as safety alerts: they take nobody's place.

    Each condition has its best before any has its second, so that the cap takes the second
    pieces first. Within a condition the heavier come first, then the fresher; safety alerts come
    before all others.
    """
    rows: list[list[int]] = []
    alerts: set[int] = set()
    for condition in sorted(conditions, key=lambda one: (-shelf.rank(one), one)):
        found = shelf.between(condition, 0, cutoff)
        if had:
            found = [released for released in found if released.article not in had]
        found.sort(
            key=lambda released: (released.safety, released.weight, released.seq), reverse=True
        )
        alerts.update(released.article for released in found if released.safety)
        rows.append(list(dict.fromkeys(released.article for released in found)))
    rows.sort(key=lambda row: not row or row[0] not in alerts)
    chosen: dict[int, None] = {}
    for _ in range(best):
        for row in rows:
            fresh = next((article for article in row if article not in chosen), None)
            if fresh is not None and len(chosen) < cap:
                chosen[fresh] = None
    return sorted(chosen, key=lambda article: article not in alerts)
