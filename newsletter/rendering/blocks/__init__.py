"""A body's blocks, each through its own pair of templates in templates/emails/blocks/."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue

from newsletter.rendering import merge_tags, plain, prose
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import Look
from newsletter.rendering.teaser import teaser

# The width of text in a mail of 600, and the most that a picture has to hold for sharp screens.
COLUMN = 552
_SHARP = COLUMN * 2


@dataclass(frozen=True, slots=True)
class Rendered:
    mjml: SafeString
    text: str


@dataclass
class _Page:
    """What a block must know of what stands before it."""

    look: Look
    under_heading: bool = False

    @property
    def level(self) -> str:
        """The level of a block's own heading: below a heading block, or in its place."""
        return "h3" if self.under_heading else "h2"


def render(body: StreamValue, look: Look) -> Rendered:
    """Render every block; headings come out in order whatever the blocks' order is."""
    page = _Page(look)
    mjml: list[str] = []
    text: list[str] = []
    for block in body:
        prepared = _PREPARE[block.block_type](block.value, page)
        if prepared is None:
            continue
        context = {**look.context(), "level": page.level, **prepared}
        name = f"emails/blocks/{block.block_type}"
        mjml.append(render_to_string(f"{name}.mjml", context))
        written = render_to_string(f"{name}.txt", context)
        text.append(plain.tidy(written))
        if block.block_type == "heading":
            page.under_heading = True
    # Each piece comes from a template that escapes what people wrote.
    return Rendered(mark_safe("".join(mjml)), "\n".join(piece for piece in text if piece.strip()))  # noqa: S308


def _heading(value: str, page: _Page) -> dict[str, Any]:
    return {"text": merge_tags.with_slots(value)}


def _rich_text(value: Any, page: _Page) -> dict[str, Any] | None:
    html = prose.safe_html(value, top_level=not page.under_heading)
    text = prose.plain_text(html)
    if not text:
        return None
    return {"html": html, "text": text}


def _article_card(value: Any, page: _Page) -> dict[str, Any] | None:
    article = value["article"]
    if article is None:  # deleted since; preflight speaks of it
        return None
    return {"article": teaser(article, lead=value["lead"], artwork=bool(value["show_artwork"]))}


def _image(value: Any, page: _Page) -> dict[str, Any] | None:
    if value is None:
        return None
    rendition = value.get_rendition(f"width-{_SHARP}")
    url = rendition.url
    alt = "" if value.decorative else clean_line(value.contextual_alt_text or "")
    return {
        "url": url if "://" in url else settings.BASE_URL + url,
        "width": min(COLUMN, rendition.width),
        "alt": alt,
    }


def _button(value: Any, page: _Page) -> dict[str, Any]:
    return {"text": clean_line(value["text"]), "url": prose.absolute(clean_line(value["url"]))}


def _quote(value: Any, page: _Page) -> dict[str, Any]:
    text, attribution = clean_line(value["text"]), clean_line(value["attribution"])
    return {
        "text": text,
        "quoted": f"“{text}”",
        "attribution": attribution,
        "attribution_line": f"– {attribution}",
    }


def _divider(value: Any, page: _Page) -> dict[str, Any]:
    return {}


def _key_facts(value: Any, page: _Page) -> dict[str, Any]:
    return {
        "title": clean_line(value["title"]),
        "facts": [clean_line(fact) for fact in value["facts"] if str(fact).strip()],
    }


def _callout(value: Any, page: _Page) -> dict[str, Any]:
    html = prose.safe_html(value["text"])
    return {
        "title": clean_line(value["title"]),
        "html": html,
        "text": prose.plain_text(html),
    }


def _emergency(value: Any, page: _Page) -> dict[str, Any]:
    number = clean_line(value["number"]) or page.look.emergency_number
    return {
        "title": clean_line(value["title"]) or _("Get emergency help at once"),
        "signs": [clean_line(sign) for sign in value["signs"] if str(sign).strip()],
        "number": number,
        "dialled": "".join(sign for sign in number if sign in "+0123456789"),
    }


_PREPARE: dict[str, Callable[[Any, _Page], dict[str, Any] | None]] = {
    "heading": _heading,
    "rich_text": _rich_text,
    "article_card": _article_card,
    "image": _image,
    "button": _button,
    "quote": _quote,
    "divider": _divider,
    "key_facts": _key_facts,
    "callout": _callout,
    "emergency": _emergency,
}
