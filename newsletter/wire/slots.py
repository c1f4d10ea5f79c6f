"""The places in a compiled message that differ from reader to reader.

A slot is written into a header, a text or an MJML template as a *mark*. Marks are made of two
private-use code points, so that nobody can type one into a subject or an article: content is
cleaned of them by `strip_marks` before it meets a template.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum

_OPEN, _BAR, _CLOSE = "\ue000", "\ue001", "\ue002"


class Slot(StrEnum):
    """The closed vocabulary. A compiled message holds these names and no others."""

    TO = "to"
    # A digest's only: an issue's subject is its editors'.
    SUBJECT = "subject"
    DATE = "date"
    MESSAGE_ID = "message_id"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    # Where one consent is withdrawn by one press.
    WITHDRAW_URL = "withdraw_url"
    PREFERENCES_URL = "preferences_url"
    FIRST_NAME = "first_name"
    # Why this reader gets this mail. Never what the reader follows (invariant 11).
    REASON = "reason"
    # A digest: its articles' fragments, and when the next one comes.
    BODY_TEXT = "body_text"
    BODY_HTML = "body_html"
    NEXT_DIGEST = "next_digest"
    # In the fragment that ends a section: the token by which the reader stops that section.
    SECTION = "section"


MARK = re.compile(f"{_OPEN}([a-z_]+)(?:{_BAR}([^{_OPEN}{_BAR}{_CLOSE}]*))?{_CLOSE}")
# A stretch of a body that only readers with one of the keys get.
STRETCH = re.compile(f"{_OPEN}only{_BAR}([0-9,]+){_CLOSE}(.*?){_OPEN}end_only{_CLOSE}", re.DOTALL)
_STRAY = re.compile(f"[{_OPEN}{_BAR}{_CLOSE}]")


def mark(name: str, fallback: str | None = None) -> str:
    """Return the mark for a slot; `fallback` stands there when a reader's value is empty.

    Raises ValueError for a name outside the vocabulary.
    """
    slot = Slot(name)
    if fallback is None:
        return f"{_OPEN}{slot.value}{_CLOSE}"
    return f"{_OPEN}{slot.value}{_BAR}{strip_marks(fallback)}{_CLOSE}"


def stretch_marks(keys: Iterable[int]) -> tuple[str, str]:
    """Return the marks that stand before and after what only readers with one of `keys` get.

    Stretches do not nest and hold no slots. Raises ValueError without a key.
    """
    written = ",".join(str(key) for key in sorted(set(keys)))
    if not written:
        raise ValueError("A stretch that nobody gets.")
    return f"{_OPEN}only{_BAR}{written}{_CLOSE}", f"{_OPEN}end_only{_CLOSE}"


def resolve_stretches(document: str, gets: Callable[[frozenset[int]], bool]) -> str:
    """Return a document with each stretch whose keys satisfy `gets`, and without the others."""
    return STRETCH.sub(lambda match: match[2] if gets(stretch_keys(match[1])) else "", document)


def stretch_keys(written: str) -> frozenset[int]:
    return frozenset(int(key) for key in written.split(",") if key)


def strip_marks(text: str) -> str:
    """Take the marks' code points out of text that people wrote."""
    return _STRAY.sub("", text)


def has_stray(text: str) -> bool:
    """True when a mark was torn apart, so that it would reach a reader as rubbish."""
    return _STRAY.search(MARK.sub("", text)) is not None
