"""The little markup of the content files, as the HTML that rich text fields hold.

Paragraphs are parted by empty lines, list items begin with "- ", and **words** are bold.
"""

import re
from collections.abc import Iterator
from html import escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_HEADING = "### "


def to_html(text: str) -> str:
    """Return the HTML of paragraphs and lists; everything else in `text` is escaped."""
    return "".join(_part(part) for part in re.split(r"\n\s*\n", text.strip()))


def sections(text: str) -> Iterator[tuple[str, str]]:
    """Part a text at its "### " lines; yield (heading or "", the text under it)."""
    heading, lines = "", list[str]()
    for line in text.strip().splitlines():
        if line.startswith(_HEADING):
            if heading or any(lines):
                yield heading, "\n".join(lines).strip()
            heading, lines = line.removeprefix(_HEADING).strip(), []
        else:
            lines.append(line)
    yield heading, "\n".join(lines).strip()


def _part(part: str) -> str:
    lines = part.strip().splitlines()
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines) + "</ul>"
    first_item = next((at for at, line in enumerate(lines) if line.startswith("- ")), None)
    if first_item:
        return _part("\n".join(lines[:first_item])) + _part("\n".join(lines[first_item:]))
    return f"<p>{_inline(' '.join(lines))}</p>"


def _inline(text: str) -> str:
    return _BOLD.sub(r"<b>\1</b>", escape(text, quote=False))
