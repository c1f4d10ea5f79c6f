"""What preflight says: a code for programs, a message for people that says what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    # An error blocks approval and sending; a warning is shown and leaves the choice to people.
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    code: str
    message: str
    # The field of the form where it is mended; empty when it is mended elsewhere.
    anchor: str = ""


def error(code: str, message: str, anchor: str = "") -> Finding:
    return Finding(Level.ERROR, code, message, anchor)


def warning(code: str, message: str, anchor: str = "") -> Finding:
    return Finding(Level.WARNING, code, message, anchor)
