"""Finding a condition from what a reader calls it, misspelt or without its accents."""

import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from newsletter.catalogue.models import Condition

LONGEST_QUERY = 100
_ALIKE = 0.78
_SHORTEST_GUESS = 4


def clean(query: str) -> str:
    """Return what was typed, fit to be searched for and shown again."""
    visible = "".join(" " if unicodedata.category(c).startswith("C") else c for c in query)
    return " ".join(visible.split())[:LONGEST_QUERY].strip()


def find(query: str, conditions: Iterable[Condition]) -> list[Condition]:
    """Return the conditions that match every word of a cleaned `query`, best first.

    A word matches the beginning of a word in the name, the synonyms, the group or the summary.
    Where nothing does, words that are spelt alike count, so that "hernated disc" finds something.
    """
    wanted = _words(query)
    if not wanted:
        return []
    pool = [(condition, _Text(condition)) for condition in conditions]
    for alike in (False, True):
        ranked = [(text.rank(wanted, alike=alike), condition) for condition, text in pool]
        found = [(rank, condition) for rank, condition in ranked if rank is not None]
        if found:
            found.sort(key=lambda pair: (pair[0], pair[1].name))
            return [condition for _, condition in found]
    return []


class _Text:
    """A condition's words, the telling ones first."""

    def __init__(self, condition: Condition) -> None:
        self.fields = (
            _words(condition.name),
            _words(condition.synonyms),
            _words(f"{condition.group} {condition.summary}"),
        )

    def rank(self, wanted: list[str], *, alike: bool) -> int | None:
        """0 when all is in the name; more the further one has to look; None for no match."""
        # Guesses are made from names only: a summary holds too many words to guess among.
        fields = self.fields[:2] if alike else self.fields
        total = 0
        for word in wanted:
            places = (
                place
                for place, words in enumerate(fields)
                if any(_matches(word, other, alike=alike) for other in words)
            )
            place = next(places, None)
            if place is None:
                return None
            total += place
        return total


def _matches(word: str, other: str, *, alike: bool) -> bool:
    if other.startswith(word):
        return True
    if not alike or len(word) < _SHORTEST_GUESS:
        return False
    return SequenceMatcher(None, word, other).ratio() >= _ALIKE


def _words(text: str) -> list[str]:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return "".join(c if c.isalnum() else " " for c in plain).split()
