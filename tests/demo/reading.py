"""How a text reads: its words and sentences."""

import re

_WORD = re.compile(r"[\w'’-]+")
_TAG = re.compile(r"</?(?:p|ul|li|h3)>")


def words(text: str) -> list[str]:
    return _WORD.findall(re.sub(r"<[^>]+>", " ", text))


def sentences(html: str) -> list[str]:
    """Return the sentences of a piece of rich text; a list's item counts as one."""
    parts = (re.sub(r"<[^>]+>", "", part) for part in _TAG.split(html))
    found = [one for part in parts for one in re.split(r"(?<=[.?!:])\s+", part)]
    return [one for one in found if words(one)]


def average_length(html: str) -> float:
    found = sentences(html)
    return sum(len(words(one)) for one in found) / len(found)


def longest(html: str) -> str:
    return max(sentences(html), key=lambda one: len(words(one)))
