"""Reading age of plain text, by a published formula for each language that has one here.

English: Flesch-Kincaid grade (Kincaid et al., 1975), plus five years, the age at which grade 0
is taught. Spanish: Szigriszt-Pazos' perspicuity (1993) read on the INFLESZ scale (Barrio-Cantalejo
et al., 2008). Syllables are counted by rule, so that a figure may be out by about one year; it is
there to compare versions, and to find the sentences that are hard.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.approval.reading import english, spanish

# Shorter text gives figures that mean nothing.
FEWEST_WORDS = 60
# The age at which most adults read with ease; health services aim at 9 to 11 and rarely get there.
TARGET_AGE = 14
# A sentence above this many words is hard whatever its words are.
LONG_SENTENCE = 25
# A sentence of this age is hard when it has enough words for the figure to mean something.
_HARD_AGE = 18
_ENOUGH_WORDS = 10

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LINK = re.compile(r"\S*(?:https?://|www\.|@)\S*")
# A full stop after one of these ends no sentence.
_ABBREVIATION = re.compile(
    r"\b(?:Dr|Dra|Prof|Mr|Mrs|Ms|Sr|Sra|St|No|e\.g|i\.e|p\. ?ej|etc|vs|approx|aprox)\.", re.I
)
_END = re.compile(r"(?<=[.!?…])[\"”’)]*\s+|\n\s*\n|\n(?=\s*(?:[-*•]|\d+\.)\s)")
_LEAD = re.compile(r"^\s*(?:[-*•]|\d+\.)\s+")


@dataclass(frozen=True, slots=True)
class Language:
    syllables: Callable[[str], int]
    # (words a sentence, syllables a word) → years
    age: Callable[[float, float], float]


_LANGUAGES = {
    "en": Language(english.syllables, english.age),
    "es": Language(spanish.syllables, spanish.age),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """`age` in years, None where the text is too short or its language has no formula here."""

    age: int | None
    words: int
    hard: tuple[str, ...]

    @property
    def is_hard(self) -> bool:
        return self.age is not None and self.age > TARGET_AGE


def measure(text: str, language: str) -> Reading:
    """Measure plain text; list its hard sentences in their order. Raises nothing."""
    counted = _LANGUAGES.get(language.lower().split("-")[0])
    sentences = _sentences(text)
    words = [_WORD.findall(sentence) for sentence in sentences]
    total = sum(map(len, words))
    if counted is None:
        long = [s for s, of in zip(sentences, words, strict=True) if len(of) > LONG_SENTENCE]
        return Reading(None, total, tuple(long))
    hard = tuple(
        sentence for sentence, of in zip(sentences, words, strict=True) if _is_hard(of, counted)
    )
    if total < FEWEST_WORDS:
        return Reading(None, total, hard)
    syllables = sum(counted.syllables(word) for of in words for word in of)
    age = counted.age(total / max(1, len(sentences)), syllables / total)
    return Reading(max(5, round(age)), total, hard)


def _is_hard(words: list[str], counted: Language) -> bool:
    if len(words) > LONG_SENTENCE:
        return True
    if len(words) < _ENOUGH_WORDS:
        return False
    syllables = sum(map(counted.syllables, words))
    return counted.age(len(words), syllables / len(words)) >= _HARD_AGE


def _sentences(text: str) -> list[str]:
    """Cut into sentences; lines that hold no two words (rules, addresses) are none."""
    bare = _LINK.sub("", text)
    shielded = _ABBREVIATION.sub(lambda match: match[0].replace(".", "\u2024"), bare)
    cut = (
        " ".join(_LEAD.sub("", piece).replace("\u2024", ".").split())
        for piece in _END.split(shielded)
        if piece
    )
    return [sentence for sentence in cut if len(_WORD.findall(sentence)) > 1]
