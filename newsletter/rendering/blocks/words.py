"""Blocks of words."""

from typing import Any

from django.utils.translation import gettext as _

from newsletter.rendering import merge_tags, prose
from newsletter.rendering.blocks.page import Page, Prepare
from newsletter.rendering.cleaning import clean_line


def _heading(value: str, page: Page) -> dict[str, Any]:
    if page.in_stretch:
        return {"text": clean_line(value)}
    return {"text": merge_tags.with_slots(value, page.look)}


def _rich_text(value: Any, page: Page) -> dict[str, Any] | None:
    html = prose.safe_html(value, top_level=not page.under_heading)
    if page.fills_prose and not page.in_stretch:
        html = merge_tags.in_html(html, page.look)
    text = prose.plain_text(html)
    return {"html": html, "text": text} if text else None


def _quote(value: Any, page: Page) -> dict[str, Any]:
    text, attribution = clean_line(value["text"]), clean_line(value["attribution"])
    return {
        "text": text,
        "quoted": f"“{text}”",
        "attribution": attribution,
        "attribution_line": f"– {attribution}",
    }


def _divider(value: Any, page: Page) -> dict[str, Any]:
    return {}


def _key_facts(value: Any, page: Page) -> dict[str, Any]:
    return {
        "title": clean_line(value["title"]),
        "facts": [clean_line(fact) for fact in value["facts"] if str(fact).strip()],
    }


def _callout(value: Any, page: Page) -> dict[str, Any]:
    html = prose.safe_html(value["text"])
    return {"title": clean_line(value["title"]), "html": html, "text": prose.plain_text(html)}


def _correction(value: Any, page: Page) -> dict[str, Any]:
    return {
        "title": _("Correction"),
        "wrong_label": _("What was wrong:"),
        "right_label": _("What is right:"),
        "to_do_label": _("What to do:"),
        **{name: clean_line(value[name] or "") for name in ("was_wrong", "is_right", "to_do")},
    }


def _button(value: Any, page: Page) -> dict[str, Any]:
    return {"text": clean_line(value["text"]), "url": prose.absolute(clean_line(value["url"]))}


PREPARE: dict[str, Prepare] = {
    "heading": _heading,
    "rich_text": _rich_text,
    "quote": _quote,
    "divider": _divider,
    "key_facts": _key_facts,
    "callout": _callout,
    "correction": _correction,
    "button": _button,
}
