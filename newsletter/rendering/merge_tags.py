"""Merge tags become slots (the vocabulary is editions.merge_tags)."""

from newsletter.editions import merge_tags as vocabulary
from newsletter.rendering.cleaning import clean_line
from newsletter.wire.slots import Slot, mark

_SLOTS = {"first_name": Slot.FIRST_NAME}
assert set(_SLOTS) == vocabulary.NAMES


def with_slots(text: str) -> str:
    """Return one line of text with a slot's mark for each tag we know."""
    return vocabulary.replace(clean_line(text), lambda name, fallback: mark(_SLOTS[name], fallback))


def unknown(text: str) -> list[str]:
    """Return what looks like a merge tag in rendered text and would reach readers as it stands.

    That is every tag left there: the known ones have become slots where they may stand.
    """
    return vocabulary.left_over(text)
