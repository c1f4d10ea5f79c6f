"""What preflight says: a code for programs, a message for people that says what to do."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import Model


class Level(StrEnum):
    # An error blocks approval and sending; a warning asks for a written reason.
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    code: str
    message: str
    # The field of the form where it is mended; empty when it is mended elsewhere.
    anchor: str = ""
    # The id of the block in the body; empty when it is about the whole, or about another field.
    block: str = ""
    # What belongs under the message, one a line: hard sentences, records to copy.
    details: tuple[str, ...] = ()
    # Where it is mended when not in this form: an article, the newsletter or the publisher, and
    # which of their fields.
    elsewhere: Model | None = None
    field: str = ""

    @property
    def key(self) -> str:
        """The same for the same finding about the same thing, so that a reason is asked once."""
        return f"{self.code}:{hashlib.sha256(self.message.encode()).hexdigest()[:12]}"


def error(
    code: str, message: str, anchor: str = "", *, block: str = "", details: tuple[str, ...] = ()
) -> Finding:
    return Finding(Level.ERROR, code, message, anchor, block, details)


def warning(
    code: str, message: str, anchor: str = "", *, block: str = "", details: tuple[str, ...] = ()
) -> Finding:
    return Finding(Level.WARNING, code, message, anchor, block, details)


def mended_in(thing: Model, field: str, finding: Finding) -> Finding:
    """The same finding, which leads to `field` of `thing` as well."""
    return replace(finding, elsewhere=thing, field=field)
