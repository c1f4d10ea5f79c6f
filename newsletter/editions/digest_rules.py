"""What a digest holds: pure choice, from what a reader follows and what was released.

No query and no clock here. The run (sending.digest_run) brings the shelf and the reader's
marks; these functions answer with article ids. Every rule is written out in docs/digests.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# What one mail shows at most. The rest counts as shown, behind "more on the web".
CAP = 7
# What the first digest shows of each condition.
BEST = 2


class Released(NamedTuple):
    """One release of one article, as the rules need it."""

    seq: int
    article: int
    weight: int
    conditions: frozenset[int]


class Shelf:
    """The releases that digests may take from, laid out by condition."""

    def __init__(self, releases: Iterable[Released], condition_weights: Mapping[int, int]) -> None:
        self._weights = condition_weights
        self._by_condition: dict[int, list[Released]] = {}
        for released in sorted(releases):
            for condition in released.conditions:
                self._by_condition.setdefault(condition, []).append(released)
        self._seqs = {
            condition: [released.seq for released in row]
            for condition, row in self._by_condition.items()
        }

    def between(self, condition: int, after: int, upto: int) -> list[Released]:
        """Return the condition's releases with after < seq <= upto, oldest first."""
        seqs = self._seqs.get(condition)
        if not seqs:
            return []
        return self._by_condition[condition][bisect_right(seqs, after) : bisect_right(seqs, upto)]

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
    found: dict[int, tuple[int, int, int]] = {}
    for condition, since in follows.items():
        rank = shelf.rank(condition)
        for released in shelf.between(condition, max(mark, since), cutoff):
            place = (rank, released.weight, released.seq)
            # One article on two conditions, or announced twice, is shown once: at its best place.
            if place > found.get(released.article, _NOWHERE):
                found[released.article] = place
    return sorted(found, key=lambda article: found[article], reverse=True)[:cap]


def choose_first(
    shelf: Shelf, conditions: Iterable[int], *, cutoff: int, best: int = BEST, cap: int = CAP
) -> list[int]:
    """Return the articles of a reader's first digest: the best of each condition chosen.

    Each condition has its best before any has its second, so that the cap takes the second
    pieces first. Within a condition the heavier come first, then the fresher.
    """
    rows: list[list[int]] = []
    for condition in sorted(conditions, key=lambda one: (-shelf.rank(one), one)):
        found = shelf.between(condition, 0, cutoff)
        found.sort(key=lambda released: (released.weight, released.seq), reverse=True)
        rows.append(list(dict.fromkeys(released.article for released in found)))
    chosen: dict[int, None] = {}
    for _ in range(best):
        for row in rows:
            fresh = next((article for article in row if article not in chosen), None)
            if fresh is not None and len(chosen) < cap:
                chosen[fresh] = None
    return list(chosen)


_NOWHERE = (-(10**9), -(10**9), -1)
