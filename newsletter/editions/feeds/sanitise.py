"""Other people's HTML, before it is kept: an allowlist of tags, no pictures, no scripts."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import nh3

from newsletter.wire.slots import strip_marks

# Longer texts are cut at a paragraph's end; a draft of 20,000 words helps nobody.
LONGEST_HTML = 120_000
_TAGS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "ul", "ol", "li", "a"}
_TAGS |= {"br", "blockquote"}
_GONE_WITH_CONTENT = {"script", "style", "iframe", "object", "svg", "math", "form", "template"}
_GONE_WITH_CONTENT |= {"noscript", "video", "audio", "select", "textarea", "button", "title"}
_SCHEMES = {"https", "http", "mailto", "tel"}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"\s+")


def safe_html(source: str, base: str) -> str:
    """Return known tags and absolute links of known schemes only. `base` is the entry's address."""

    def absolute(tag: str, name: str, value: str) -> str | None:
        try:
            url = urljoin(base, value.strip())
            return url if urlsplit(url).scheme in _SCHEMES else None
        except ValueError:
            return None

    cleaned = nh3.clean(
        _printable(source),
        tags=_TAGS,
        clean_content_tags=_GONE_WITH_CONTENT,
        attributes={"a": {"href"}},
        attribute_filter=absolute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return _cut(cleaned).strip()


def line(source: str, longest: int) -> str:
    """Return text of one line without markup, cut at a word's end."""
    bare = nh3.clean(_printable(source), tags=set(), clean_content_tags=_GONE_WITH_CONTENT)
    text = _SPACES.sub(" ", _printable(html.unescape(bare))).strip()
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


def as_blocks(source: str) -> list[tuple[str, str]]:
    """Return sanitised HTML as blocks of an article: headings on their own, the rest as text."""
    splitter = _Splitter()
    splitter.feed(source)
    splitter.close()
    return splitter.blocks()


def web_address(url: str, base: str = "") -> str:
    """Return an absolute http(s) address, or "" for anything else."""
    try:
        whole = urljoin(base, url.strip())
        parts = urlsplit(whole)
    except ValueError:
        return ""
    return whole[:2_000] if parts.scheme in ("http", "https") and parts.hostname else ""


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("", strip_marks(text))


def _cut(source: str) -> str:
    if len(source) <= LONGEST_HTML:
        return source
    at = source.rfind("</p>", 0, LONGEST_HTML)
    # Cleaned once more: what was cut through is closed.
    return nh3.clean(source[: at + 4 if at > 0 else LONGEST_HTML], tags=_TAGS, link_rel=None)


class _Splitter(HTMLParser):
    """Lays a sanitised document out flat: paragraphs, lists and headings, nothing inside another.

    What stands outside any paragraph gets one, as the editor would write it.
    """

    _HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks: list[tuple[str, str]] = []
        self._prose: list[str] = []
        self._open: list[str] = []
        self._inline: list[str] = []
        self._tag = ""
        self._lists: list[str] = []

    def blocks(self) -> list[tuple[str, str]]:
        self._end_paragraph()
        self._end_prose()
        return self._blocks

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HEADINGS or tag in ("p", "blockquote"):
            if self._lists:
                return  # a paragraph within an item is the item
            self._end_paragraph()
            self._tag = tag
        elif tag in ("ul", "ol"):
            self._end_paragraph()
            if not self._lists:
                self._prose.append(f"<{tag}>")
            # A list within a list goes on with the outer one.
            self._lists.append(self._lists[0] if self._lists else tag)
        elif tag == "li" and self._lists:
            self._end_paragraph()
            self._tag = "li"
        elif tag == "br":
            self._inline.append("<br/>")
        elif tag in ("b", "strong", "i", "em"):
            self._push(tag, f"<{tag}>")
        elif tag == "a" and (href := dict(attrs).get("href")):
            self._push(tag, f'<a href="{html.escape(href)}">')

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open:
                last = self._open.pop()
                self._inline.append(f"</{last}>")
                if last == tag:
                    break
        elif tag in ("ul", "ol") and self._lists:
            self._end_paragraph()
            last = self._lists.pop()
            if not self._lists:
                self._prose.append(f"</{last}>")
        elif tag == "li" or (tag in {"p", "blockquote", *self._HEADINGS} and not self._lists):
            self._end_paragraph()

    def handle_data(self, data: str) -> None:
        self._inline.append(html.escape(_SPACES.sub(" ", data), quote=False))

    def _push(self, tag: str, written: str) -> None:
        self._open.append(tag)
        self._inline.append(written)

    def _end_paragraph(self) -> None:
        while self._open:
            self._inline.append(f"</{self._open.pop()}>")
        inner = re.sub(r"^(\s|<br/>)+|(\s|<br/>)+$", "", "".join(self._inline))
        words = re.sub(r"<[^>]+>", "", inner).strip()
        tag, self._tag, self._inline = self._tag, "", []
        if not words:
            return
        if tag in self._HEADINGS:
            self._end_prose()
            self._blocks.append(("heading", line(inner, 120)))
        else:
            name = "li" if self._lists else "p"
            self._prose.append(f"<{name}>{inner}</{name}>")

    def _end_prose(self) -> None:
        if self._lists:
            self._prose.append(f"</{self._lists[0]}>")
            self._lists.clear()
        prose, self._prose = "".join(self._prose), []
        prose = re.sub(r"<(ul|ol)></\1>", "", prose)
        if prose:
            self._blocks.append(("rich_text", prose))
