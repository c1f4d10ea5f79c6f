"""What digests may take from: the releases up to a cut-off, in memory once per run."""

from bisect import bisect_left
from collections import defaultdict
from datetime import datetime
from typing import Self

from newsletter.catalogue.models import Condition
from newsletter.editions.digest_rules import Released, Shelf
from newsletter.editions.models import Article, Release
from newsletter.sending.models import SafetyAlert


def load_shelf(cutoff: int, now: datetime) -> Shelf:
    """Load the releases numbered up to `cutoff` that may be shown today.

    Left out: what was withdrawn or unpublished, and what is overdue for medical review.
    """
    rows = list(
        Release.objects.standing()
        .filter(seq__lte=cutoff, article__live=True)
        .exclude(article__review_due__lt=now.date())
        .values_list("seq", "article_id", "article__weight")
    )
    conditions: defaultdict[int, set[int]] = defaultdict(set)
    for article, condition in Article.conditions.through.objects.values_list(
        "article_id", "condition_id"
    ):
        conditions[article].add(condition)
    alerts = set(SafetyAlert.objects.sent().values_list("article_id", flat=True))
    return Shelf(
        (
            Released(seq, article, weight, frozenset(conditions[article]), article in alerts)
            for seq, article, weight in rows
        ),
        dict(Condition.objects.values_list("pk", "weight")),
    )


class ReleaseTimes:
    """Which release number stood at an instant: how "owes nothing released before" is counted."""

    def __init__(self, rows: list[tuple[datetime, int]]) -> None:
        self._times: list[datetime] = []
        self._seqs: list[int] = []
        for released_at, seq in rows:
            # Should the clock have been set back, a later number never seems earlier.
            self._times.append(max(released_at, self._times[-1]) if self._times else released_at)
            self._seqs.append(seq)

    @classmethod
    def load(cls) -> Self:
        return cls(list(Release.objects.order_by("seq").values_list("released_at", "seq")))

    def number_at(self, instant: datetime | None) -> int:
        """Return the last number released before `instant`; 0 for None."""
        if instant is None:
            return 0
        place = bisect_left(self._times, instant)
        return self._seqs[place - 1] if place else 0
