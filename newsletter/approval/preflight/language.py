"""The language a mail says it is in, the one it is in, and how hard it is to read."""

import re
from collections.abc import Iterator, Sequence

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from newsletter.approval import reading
from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.approval.preflight.outline import Part
from newsletter.approval.reading.measure import TARGET_AGE
from newsletter.editions.models import Article, Issue
from newsletter.wire.slots import strip_marks

_LANG = re.compile(r"<html\b[^>]*\slang=[\"']([A-Za-z-]+)[\"']")
_WORD = re.compile(r"[^\W\d_]+")
# With fewer words a quotation in another language decides.
_ENOUGH = 40
# Blocks that others wrote, or that are no prose.
_NO_PROSE = frozenset({"quote", "button", "divider", "sponsor", "heading"})
MOST_SENTENCES = 12

# The words that hold a language together, and that its neighbours do not have.
_WRITTEN = {
    "en": "the of and to is you your that for with it are this have not be by from",
    "es": "el los las una que y es su con por para más está como pero del al se lo",
    "fr": "le les des et est vous une dans pour que qui pas sur avec ce sont au du",
    "de": "der die das und ist nicht sie mit den ein eine zu von auf für im dem wie",
}
_FUNCTION_WORDS = {code: frozenset(words.split()) for code, words in _WRITTEN.items()}


def of_issue(issue: Issue, html: str, parts: Sequence[Part]) -> Iterator[Finding]:
    stated = _LANG.search(html)
    if stated is None or stated[1].split("-")[0] != issue.language.split("-")[0]:
        yield error(
            "language_missing",
            _("The mail does not say what language it is in. A screen reader would guess."),
            "language",
        )
    yield from of_text(issue, parts)


def of_text(thing: Issue | Article, parts: Sequence[Part]) -> Iterator[Finding]:
    text = prose(parts)
    other = looks_like(text, thing.language)
    if other:
        yield warning(
            "language_doubtful",
            _(
                "It is marked as %(stated)s and reads like %(other)s. A screen reader would "
                "pronounce it wrongly."
            )
            % {"stated": _name(thing.language), "other": _name(other)},
            "language",
        )
    found = reading.measure(text, thing.language)
    if found.is_hard:
        yield warning(
            "reading_age",
            _(
                "It reads like text for %(age)d-year-olds; %(target)d is what most readers manage "
                "with ease. Shorten the sentences below."
            )
            % {"age": found.age, "target": TARGET_AGE},
            "body",
            details=found.hard[:MOST_SENTENCES],
        )


def prose(parts: Sequence[Part]) -> str:
    """The running text that staff wrote, without quotations, headings and buttons."""
    return strip_marks("\n\n".join(part.text for part in parts if part.kind not in _NO_PROSE))


def looks_like(text: str, stated: str) -> str:
    """Return the code of the language that `text` is in, where that is clearly not `stated`."""
    words = [word.casefold() for word in _WORD.findall(text)]
    stated = stated.split("-")[0]
    if len(words) < _ENOUGH:
        return ""
    shares = {
        code: sum(word in known for word in words) / len(words)
        for code, known in _FUNCTION_WORDS.items()
    }
    best = max(shares, key=lambda code: shares[code])
    # In running text about a third are such words; a twentieth means something else entirely.
    if best != stated and shares[best] > 0.12 and shares[best] > 2.5 * shares.get(stated, 0.0):
        return best
    return ""


def _name(code: str) -> str:
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code
