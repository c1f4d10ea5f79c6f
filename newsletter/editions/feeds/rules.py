"""Which conditions an entry is about: what the feed always is, and what its rules find."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from newsletter.editions.feeds.entry import Entry
from newsletter.editions.models import Feed, FeedRule

Where = FeedRule.Where


def conditions_of(entry: Entry, feed: Feed, rules: Iterable[FeedRule]) -> list[int]:
    """Return the numbers of the conditions, those that the feed always has first."""
    found = [condition.pk for condition in feed.conditions.all()]
    found += [rule.condition_id for rule in rules if fits(entry, rule)]
    return list(dict.fromkeys(found))


def fits(entry: Entry, rule: FeedRule) -> bool:
    """Does any of the rule's words stand where the rule looks?"""
    patterns = [_pattern(word) for word in rule.word_list]
    if rule.where == Where.CATEGORY:
        return any(pattern.fullmatch(one) for one in entry.categories for pattern in patterns)
    places = _places(entry, Where(rule.where))
    return any(pattern.search(place) for place in places for pattern in patterns)


def _places(entry: Entry, where: FeedRule.Where) -> Sequence[str]:
    if where == Where.TITLE:
        return [entry.title]
    return [entry.title, entry.summary, re.sub(r"<[^>]+>", " ", entry.html), *entry.categories]


@lru_cache(maxsize=2_000)
def _pattern(word: str) -> re.Pattern[str]:
    """Whole words; "diabet*" is also diabetes and diabetic."""
    stem = word.rstrip("*").rstrip()
    inner = r"\s+".join(re.escape(part) for part in stem.split())
    end = r"\w*" if word.endswith("*") else ""
    return re.compile(rf"(?<!\w){inner}{end}(?!\w)", re.IGNORECASE)
