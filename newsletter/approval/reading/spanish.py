"""Spanish: syllables by the rules of diphthong and hiatus, and Szigriszt-Pazos as an age."""

import re

# A strong vowel, or an accented weak one, is a syllable; weak ones lean on their neighbour.
_NUCLEUS = re.compile(
    r"[iuü]?[aeoáéó][iuüy]?(?![íú])|[aeoáéó]|[íú]|[iuü]+y?|y(?![aeiouáéíóú])", re.IGNORECASE
)
_SILENT_U = re.compile(r"(?<=[qg])u(?=[eiéí])", re.IGNORECASE)

# INFLESZ: where a band begins, and the age at which its texts are read with ease.
_BANDS = ((80.0, 10.0), (65.0, 12.0), (55.0, 14.0), (40.0, 17.0), (0.0, 20.0))


def syllables(word: str) -> int:
    return max(1, len(_NUCLEUS.findall(_SILENT_U.sub("", word))))


def perspicuity(words_a_sentence: float, syllables_a_word: float) -> float:
    """Szigriszt-Pazos: 0 is hardest, 100 is easiest."""
    return 206.835 - 62.3 * syllables_a_word - words_a_sentence


def age(words_a_sentence: float, syllables_a_word: float) -> float:
    """Years, in a straight line between the beginnings of INFLESZ's bands."""
    score = min(100.0, max(0.0, perspicuity(words_a_sentence, syllables_a_word)))
    above, young = 100.0, 8.0
    for below, old in _BANDS:
        if score >= below:
            return young + (above - score) / (above - below) * (old - young)
        above, young = below, old
    return young
