"""The line in the inbox: subject and preheader, all that many readers ever see."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.editions.models import Issue

# What phones show of a subject before they cut it.
LONG_SUBJECT = 70
SHORT_PREHEADER = 30
# UNICEF and the like are no shouting; longer capitals are.
_SHOUTED_WORD = 7


def findings(issue: Issue) -> Iterator[Finding]:
    subject, preheader = issue.subject.strip(), issue.preheader.strip()
    if not subject:
        yield error("subject_missing", _("Write a subject."), "subject")
    elif len(subject) > LONG_SUBJECT:
        yield warning(
            "subject_long",
            _("The subject has %(length)d characters. Phones cut it after about %(limit)d.")
            % {"length": len(subject), "limit": LONG_SUBJECT},
            "subject",
        )
    if not preheader:
        yield error(
            "preheader_missing",
            _("Write a preheader. Without one the inbox shows the mail's first words."),
            "preheader",
        )
    elif len(preheader) < SHORT_PREHEADER:
        yield warning(
            "preheader_short",
            _("The preheader is short. Mail programs fill the line with the mail's first words."),
            "preheader",
        )
    if preheader and preheader.casefold() == subject.casefold():
        yield warning(
            "preheader_repeats",
            _("The preheader repeats the subject. Say something more in it."),
            "preheader",
        )
    for name, text in (("subject", subject), ("preheader", preheader)):
        if shouts(text):
            yield error(
                "shouting",
                _("“%(text)s” shouts. Write it without capitals and exclamation marks.")
                % {"text": text},
                name,
            )


def shouts(text: str) -> bool:
    """True for piled-up exclamation marks and for capitals. Abbreviations are fine."""
    if "!!" in text or "!?" in text or "?!" in text:
        return True
    words = ["".join(filter(str.isalpha, word)) for word in text.split()]
    letters = [word for word in words if len(word) > 1]
    capitals = [word for word in letters if word.isupper()]
    if len(letters) > 1 and len(capitals) == len(letters):
        return True
    return any(len(word) >= _SHOUTED_WORD for word in capitals)
