"""What is in rendered markup, in its order: headings, images, links and words.

Each block is rendered by itself too, so that a finding knows the block it is about, whatever a
block is made of. Both HTML and the MJML that a block's template writes are read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

from django.utils import translation
from wagtail.blocks import StreamValue

from newsletter.editions.models import Article, Issue
from newsletter.rendering import blocks
from newsletter.rendering.look import Look
from newsletter.wire.slots import MARK

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_IMAGES = frozenset({"img", "mj-image"})
_LINKS = frozenset({"a", "mj-button"})
# What underlines a heading in plain text.
_RULE = re.compile(r"^[-=*_ ]{3,}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Image:
    source: str
    # None where it has no alt attribute at all, "" where it is decorative.
    alt: str | None


@dataclass(frozen=True, slots=True)
class Link:
    address: str
    # What a screen reader says: its text, and the alt text of images in it.
    text: str


@dataclass
class Outline:
    headings: list[tuple[int, str]] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @classmethod
    def of(cls, markup: str) -> Self:
        reader = _Reader()
        reader.feed(markup)
        reader.close()
        return cls(reader.headings, reader.images, reader.links)


@dataclass(frozen=True, slots=True)
class Part:
    """One block of a body as readers meet it."""

    block: str
    kind: str
    label: str
    text: str
    outline: Outline

    @property
    def beginning(self) -> str:
        words = " ".join(_RULE.sub(" ", self.text).split())
        return words if len(words) <= 60 else words[:57].rstrip() + "…"


def parts(thing: Issue | Article, look: Look) -> Iterator[Part]:
    """Yield the body's blocks one by one, each rendered alone in the content's language."""
    body: StreamValue = thing.body
    with translation.override(thing.language):
        for child in body:
            alone = StreamValue(body.stream_block, [(child.block_type, child.value, child.id)])
            rendered = blocks.render(alone, look, page_of(thing, look))
            yield Part(
                block=str(child.id or ""),
                kind=child.block_type,
                label=str(child.block.label),
                text=_without_marks(rendered.text),
                outline=Outline.of(rendered.mjml),
            )


def page_of(thing: Issue | Article, look: Look) -> blocks.Page:
    """The page that a block of this content stands on, with nothing above it."""
    if isinstance(thing, Issue):
        return blocks.Page(look, fills_prose=True, newest_until=thing.newest_until)
    return blocks.Page(look)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.headings: list[tuple[int, str]] = []
        self.images: list[Image] = []
        self.links: list[Link] = []
        self._level = 0
        self._heading: list[str] = []
        self._address: str | None = None
        self._link: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in _IMAGES:
            alt = (values.get("alt") or "") if "alt" in values else None
            self.images.append(Image(values.get("src") or "?", alt))
            if self._address is not None and alt:
                self._link.append(f" {alt} ")
            if tag == "mj-image" and values.get("href"):
                self.links.append(Link(values["href"] or "", alt or ""))
        elif tag in _HEADINGS:
            self._level, self._heading = _HEADINGS[tag], []
        elif tag in _LINKS and values.get("href") is not None:
            self._address, self._link = values["href"] or "", []

    def handle_endtag(self, tag: str) -> None:
        if self._level and _HEADINGS.get(tag) == self._level:
            self.headings.append((self._level, _line(self._heading)))
            self._level = 0
        elif tag in _LINKS and self._address is not None:
            self.links.append(Link(self._address, _line(self._link)))
            self._address = None

    def handle_data(self, data: str) -> None:
        if self._level:
            self._heading.append(data)
        if self._address is not None:
            self._link.append(data)


def _without_marks(text: str) -> str:
    """A reader's own words give way to what stands for them; what parts stretches goes."""
    return MARK.sub(lambda match: "" if match[1].endswith("only") else match[2] or "", text).strip()


def _line(pieces: list[str]) -> str:
    return " ".join("".join(pieces).split())
