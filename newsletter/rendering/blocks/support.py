"""Blocks that ask for support, or that somebody paid for."""

from typing import Any

from newsletter.rendering import prose
from newsletter.rendering.blocks.page import HALF, Page, Prepare
from newsletter.rendering.blocks.pictures import picture
from newsletter.rendering.cleaning import clean_line

_LOGO, _COVER = HALF // 2, 160


def _sponsor(value: Any, page: Page) -> dict[str, Any]:
    return {
        "name": clean_line(value["name"]),
        "text": clean_line(value["text"]),
        "logo": picture(value["logo"], _LOGO),
        "link_text": clean_line(value["link_text"]),
        "url": prose.absolute(clean_line(value["url"])),
        "policy_url": page.look.endorsement_policy_url,
    }


def _appeal(value: Any, page: Page) -> dict[str, Any]:
    return {
        "title": clean_line(value["title"]),
        "text": clean_line(value["text"]),
        "button_text": clean_line(value["button_text"]),
        "url": prose.absolute(clean_line(value["url"])),
    }


def _publication(value: Any, page: Page) -> dict[str, Any]:
    return {
        **_appeal(value, page),
        "price": clean_line(value["price"]),
        "cover": picture(value["cover"], _COVER),
    }


PREPARE: dict[str, Prepare] = {
    "sponsor": _sponsor,
    "appeal": _appeal,
    "publication": _publication,
}
