"""The proof: what was asked in which words, and who said what to it, in an append-only ledger."""

from signup.consent.chain import Statement, record, record_all
from signup.consent.texts import MissingText, current_texts, ensure_texts, languages_offered
from signup.consent.verify import Fault, verify

__all__ = [
    "Fault",
    "MissingText",
    "Statement",
    "current_texts",
    "ensure_texts",
    "languages_offered",
    "record",
    "record_all",
    "verify",
]
