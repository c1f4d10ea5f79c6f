"""What several letters have in common, and what is each reader's own.

Found by laying finished letters side by side, word by word, so that a transport needs to know
nothing of how they were made.
"""

import re
from dataclasses import dataclass

from newsletter.transports.esp.letters import Letter

_WORDS = re.compile(r"([\s<>\"'/]+)")


@dataclass(frozen=True, slots=True)
class Shared:
    """A text with marks (`%recipient.name%`), and for each letter what stands in their places."""

    template: str
    values: list[dict[str, str]]


def shape(letter: Letter) -> object:
    """Letters of one shape differ in words and not in their number."""
    return (*letter.likeness, len(_WORDS.split(letter.text)), len(_WORDS.split(letter.html)))


def shared(texts: list[str], prefix: str) -> Shared:
    """Return what texts of one shape have in common. Raises ValueError for texts that have not."""
    rows = [_WORDS.split(text) for text in texts]
    template: list[str] = []
    values: list[dict[str, str]] = [{} for _ in texts]
    names: dict[tuple[str, ...], str] = {}
    for words in zip(*rows, strict=True):
        if words.count(words[0]) == len(words):
            template.append(words[0])
            continue
        name = names.setdefault(words, f"{prefix}{len(names)}")
        template.append(f"%recipient.{name}%")
        for value, word in zip(values, words, strict=True):
            value[name] = word
    return Shared("".join(template), values)
