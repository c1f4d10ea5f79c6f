"""Whether every word of the mail stands out from its ground (WCAG 2.2, 1.4.3).

The mail's styles are inline by now, so the colours that meet can be read off the document itself,
a publisher's own brand included. What only the dark style sheet says is derived to a contrast of
7 when the brand is chosen (catalogue.brand).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, mended_in
from newsletter.approval.preflight.outline import Part
from newsletter.catalogue import brand
from newsletter.catalogue.models import Newsletter

_TEXT, _LARGE = 4.5, 3.0
_DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;]+)")
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)
_SIZE = re.compile(r"([\d.]+)px")
_NAMES = {"white": "#FFFFFF", "black": "#000000"}
_UNSEEN = frozenset({"style", "script", "title", "head"})
_VOID = frozenset({"br", "img", "hr", "meta", "link", "col", "input", "area", "base", "wbr"})


@dataclass(frozen=True, slots=True)
class _Style:
    colour: str = "#000000"
    ground: str = "#FFFFFF"
    size: float = 16.0
    bold: bool = False
    hidden: bool = False

    @property
    def needed(self) -> float:
        """Large is 24 px, or 18.66 px in bold."""
        large = self.size >= 24 or (self.bold and self.size >= 18.66)
        return _LARGE if large else _TEXT


def findings(html: str, parts: Sequence[Part], newsletter: Newsletter) -> Iterator[Finding]:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    said: set[tuple[str, str]] = set()
    for text, style in reader.faint:
        pair = (style.colour, style.ground)
        if pair in said:
            continue
        said.add(pair)
        block = next((part.block for part in parts if text in " ".join(part.text.split())), "")
        found = error(
            "contrast_low",
            _(
                "“%(text)s” is hard to see: %(colour)s on %(ground)s has a contrast of "
                "%(ratio).1f, and %(needed).1f is needed."
            )
            % {
                "text": text[:60],
                "colour": style.colour,
                "ground": style.ground,
                "ratio": brand.contrast(*pair),
                "needed": style.needed,
            },
            "body" if block else "newsletter",
            block=block,
        )
        # Editors choose no colours: they are the newsletter's.
        yield mended_in(newsletter, "brand_colour", found)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faint: list[tuple[str, _Style]] = []
        self._open: list[tuple[str, _Style]] = [("", _Style())]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        values = {name: value or "" for name, value in attrs}
        style = _with(self._open[-1][1], values)
        if tag in ("b", "strong", "th", "h1", "h2", "h3"):
            style = replace(style, bold=True)
        if tag in _UNSEEN:
            style = replace(style, hidden=True)
        self._open.append((tag, style))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth][0] == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        style = self._open[-1][1]
        text = " ".join(data.split())
        if not text or style.hidden or not any(sign.isalnum() for sign in text):
            return
        if brand.contrast(style.colour, style.ground) < style.needed:
            self.faint.append((text, style))


def _with(style: _Style, values: dict[str, str]) -> _Style:
    if ground := _colour(values.get("bgcolor", "")):
        style = replace(style, ground=ground)
    for property_, value in _DECLARATION.findall(values.get("style", "").lower()):
        if property_ == "color" and (found := _colour(value)):
            style = replace(style, colour=found)
        elif property_ in ("background", "background-color") and (found := _colour(value)):
            style = replace(style, ground=found)
        elif property_ == "font-size" and (size := _SIZE.match(value)):
            pixels = float(size[1])
            # MJML sets 0 on cells to close gaps; the text in them sets its own again.
            style = replace(style, size=pixels or style.size)
        elif property_ == "font-weight":
            style = replace(style, bold=value.strip() in ("bold", "600", "700", "800", "900"))
        elif property_ == "display" and value.strip() == "none":
            style = replace(style, hidden=True)
    return style


def _colour(value: str) -> str:
    if found := _HEX.search(value):
        digits = found[1]
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        return f"#{digits.upper()}"
    return _NAMES.get(value.strip(), "")
