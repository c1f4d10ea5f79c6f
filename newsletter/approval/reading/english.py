"""English: syllables by rule, and the Flesch-Kincaid grade as an age."""

import re

_GROUPS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouy]e|[^aeiouytd]ed|[^aeiouycsxz]es)$")
_SPLIT = re.compile(r"i(?:a(?!l\b|n\b)|o(?!us|n)|e(?=nce|t))|eo(?!p)|ea$|[^q]ua(?!r)|ying|uous$")


def syllables(word: str) -> int:
    """Count the syllables of one word: groups of vowels, less a silent ending."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    if not plain:
        return 1
    count = len(_GROUPS.findall(plain)) + len(_SPLIT.findall(plain))
    if _SILENT.search(plain) and count > 1:
        count -= 1
    return max(1, count)


def age(words_a_sentence: float, syllables_a_word: float) -> float:
    """Years: the grade, and five."""
    return 0.39 * words_a_sentence + 11.8 * syllables_a_word - 15.59 + 5
