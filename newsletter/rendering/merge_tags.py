"""Merge tags become slots, or what they say of the newsletter (editions.merge_tags)."""

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from newsletter.editions import merge_tags as vocabulary
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import Look
from newsletter.wire.slots import Slot, mark

_SLOTS = {"first_name": Slot.FIRST_NAME}
_OF_THE_LOOK = {
    "newsletter": "newsletter_name",
    "publisher": "publisher_name",
    "emergency_number": "emergency_number",
}
assert {*_SLOTS, *_OF_THE_LOOK} == vocabulary.NAMES

# A tag with its attributes, in which nothing is replaced: no reader's name stands in an address.
_MARKUP = re.compile(r"""(<(?:[^<>"]|"[^"]*")*>)""")


def with_slots(text: str, look: Look | None = None) -> str:
    """Return one line of text with a slot's mark for each tag that is the reader's own."""
    return vocabulary.replace(clean_line(text), lambda name, other: _value(name, other, look))


def in_html(html: str, look: Look) -> SafeString:
    """The same for sanitised HTML, between its tags."""

    def written(name: str, other: str) -> str:
        if name in _SLOTS:
            return mark(_SLOTS[name], other)  # the fallback stood in HTML and is escaped
        return escape(_value(name, "", look)) or other

    parts = [
        part if at % 2 else vocabulary.replace(part, written)
        for at, part in enumerate(_MARKUP.split(html))
    ]
    return mark_safe("".join(parts))  # noqa: S308 - nothing came in but what is escaped


def unknown(text: str) -> list[str]:
    """Return what looks like a merge tag in rendered text and would reach readers as it stands.

    That is every tag left there: the known ones have become slots where they may stand.
    """
    return vocabulary.left_over(text)


def _value(name: str, otherwise: str, look: Look | None) -> str:
    if name in _SLOTS:
        return mark(_SLOTS[name], otherwise)
    return (getattr(look, _OF_THE_LOOK[name]) if look else "") or otherwise
