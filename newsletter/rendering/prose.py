"""Editors' rich text: sanitised by an allowlist, then as HTML for a mail and as plain text."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import RichText, expand_db_html

from newsletter.rendering import plain
from newsletter.rendering.cleaning import clean

_TAGS = {"p", "h2", "h3", "b", "strong", "i", "em", "ul", "ol", "li", "a", "br"}
_SCHEMES = {"https", "http", "mailto", "tel"}
_VOID = re.compile(r"<br\s*/?>")
# What is left of the blank lines that Word sets between paragraphs.
_EMPTY = re.compile(r"<(p|h2|h3)>(?:\s|&nbsp;|\u00a0|<br/>|</?(?:b|strong|i|em)>)*</\1>")
_FIRST_HEADINGS = re.compile(r"(</?)h3>")


def safe_html(value: RichText | str, *, top_level: bool = False) -> SafeString:
    """Return the HTML that may stand in a mail: known tags, known schemes, absolute links.

    `top_level` raises its headings by one, for text that stands under no heading of its own.
    """
    source = expand_db_html(value.source if isinstance(value, RichText) else str(value))
    html = nh3.clean(
        clean(source),
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes={"a": {"href"}},
        attribute_filter=_absolute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    if top_level:
        html = _FIRST_HEADINGS.sub(r"\1h2>", html)
    # Closed, for MJML is XML; nh3 has escaped everything else.
    return mark_safe(_EMPTY.sub("", _VOID.sub("<br/>", html)))  # noqa: S308


def plain_text(html: str) -> str:
    """Return sanitised HTML as written text, each link on a line of its own below its paragraph."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.text()


def absolute(url: str) -> str:
    """Return a link to a page of ours with our address in front; others as they are."""
    if url.startswith("/") and not url.startswith("//"):
        return f"{settings.BASE_URL}{url}"
    return url


def _absolute(tag: str, name: str, value: str) -> str | None:
    url = absolute(value.strip())
    return url if urlsplit(url).scheme in _SCHEMES else None


@dataclass
class _List:
    ordered: bool
    count: int = 0


@dataclass
class _Paragraph:
    words: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    lead: str = ""
    indent: int = 0
    heading: bool = False


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._done: list[str] = []
        self._paragraph = _Paragraph()
        self._lists: list[_List] = []
        self._href: str | None = None
        self._link_from = 0

    def text(self) -> str:
        self._end()
        return plain.tidy("\n".join(self._done)) if self._done else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"ul", "ol"}:
            self._end()
            self._lists.append(_List(tag == "ol"))
        elif tag in {"p", "h2", "h3"}:
            if not (self._paragraph.lead and not self._paragraph.words):
                self._end()
            self._paragraph.heading = tag != "p"
        elif tag == "li":
            self._end()
            here = self._lists[-1] if self._lists else _List(False)
            here.count += 1
            lead = f"{here.count}. " if here.ordered else "- "
            depth = 2 * (max(1, len(self._lists)) - 1)
            self._paragraph = _Paragraph(lead=lead, indent=depth + len(lead))
        elif tag == "br":
            self._paragraph.words.append("\n")
        elif tag == "a":
            self._href = dict(attrs).get("href")
            self._link_from = len(self._paragraph.words)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "h2", "h3", "li"}:
            self._end()
        elif tag in {"ul", "ol"}:
            self._end()
            if self._lists:
                self._lists.pop()
            if not self._lists:
                self._done.append("")
        elif tag == "a" and self._href:
            words = "".join(self._paragraph.words[self._link_from :])
            label = " ".join(words.split())
            if label != self._href:
                self._paragraph.links.append((label, self._href))
            self._href = None

    def handle_data(self, data: str) -> None:
        self._paragraph.words.append(re.sub(r"\s+", " ", data))

    def _end(self) -> None:
        paragraph, self._paragraph = self._paragraph, _Paragraph()
        text = "\n".join(line.strip() for line in "".join(paragraph.words).split("\n")).strip()
        if not text:
            return
        written = plain.wrapped(text, paragraph.indent, paragraph.lead)
        if paragraph.heading:
            written += "\n" + plain.underlined(text)
        self._done.append(written)
        margin = " " * paragraph.indent
        for label, url in paragraph.links:
            address = url.removeprefix("mailto:").removeprefix("tel:")
            if address == label:
                continue
            line = f"{margin}{label}: {address}"
            fits = len(line) <= plain.WIDTH
            self._done.append(line if fits else f"{margin}{label}:\n{margin}{address}")
        if not paragraph.lead:
            self._done.append("")
