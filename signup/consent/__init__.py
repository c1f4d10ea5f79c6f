"""The proof: what was asked in which words, and who said what to it, in an append-only ledger."""

from signup.consent.chain import (
    Statement,
    add_lines,
    add_opening,
    append,
    opened,
    record,
    record_all,
)
from signup.consent.fault import Fault
from signup.consent.texts import MissingText, current_texts, ensure_texts, languages_offered
from signup.consent.verify import verify

__all__ = [
    "Fault",
    "MissingText",
    "Statement",
    "add_lines",
    "add_opening",
    "append",
    "current_texts",
    "ensure_texts",
    "languages_offered",
    "opened",
    "record",
    "record_all",
    "verify",
]
