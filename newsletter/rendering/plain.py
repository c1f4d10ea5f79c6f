"""Plain text as somebody would write it: lines of at most 72, links whole, lists hung."""

import re
import textwrap

from newsletter.wire.slots import MARK

WIDTH = 72
# A slot's mark may hold blanks; while lines are broken one character of this plane stands for it.
_STANDIN = 0xF0000
_BLANK_LINES = re.compile(r"\n{3,}")


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Break a text into lines, paragraph by paragraph; `first` begins the first line."""
    margin = " " * indent
    lines: list[str] = []
    for number, paragraph in enumerate(str(text).split("\n")):
        lead = f"{margin[: indent - len(first)]}{first}" if first and not number else margin
        lines.append(_filled(paragraph, lead, margin))
    return "\n".join(lines)


def bullet(text: str) -> str:
    return wrapped(text, 2, "- ")


def underlined(text: str, character: str = "-") -> str:
    """Return the line that goes under a heading as it was wrapped.

    Under a heading that holds a slot there is none: nobody knows how long it will be.
    """
    if MARK.search(text):
        return ""
    return character * max(len(line) for line in wrapped(text).split("\n"))


def centred(text: str) -> str:
    return text.center(WIDTH).rstrip()


def tidy(text: str) -> str:
    """Take out what templates leave behind: blanks at line ends, runs of empty lines."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n") + "\n"


def _filled(paragraph: str, lead: str, margin: str) -> str:
    marks: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        marks.append(match[0])
        # As wide as what will stand there, so that lines come out right for most readers.
        return chr(_STANDIN + len(marks)) * max(1, len(match[2] or "") or 8)

    lines = textwrap.fill(
        MARK.sub(put_aside, paragraph),
        width=WIDTH,
        initial_indent=lead,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for number, mark in enumerate(marks, start=1):
        before, standins, after = lines.partition(chr(_STANDIN + number))
        lines = before + mark + after.lstrip(standins)
    return lines
