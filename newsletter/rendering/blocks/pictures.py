"""Blocks with pictures."""

from typing import Any

from newsletter.rendering import prose
from newsletter.rendering.blocks.page import COLUMN, HALF, Page, Prepare
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.pictures import in_mail


def _image(value: Any, page: Page) -> dict[str, Any] | None:
    return picture(value, COLUMN)


def picture(value: Any, width: int) -> dict[str, Any] | None:
    """Return a picture's address, words and width, at most `width` px; None for none."""
    if value is None:
        return None
    kept = in_mail(value, width)
    alt = "" if value.decorative else clean_line(value.contextual_alt_text or "")
    return {"url": kept.url, "width": kept.width, "alt": alt}


def _two_columns(value: Any, page: Page) -> dict[str, Any] | None:
    columns = [_column(value[name]) for name in ("first", "second")]
    return {"columns": columns, "half": HALF} if any(column["text"] for column in columns) else None


def _column(value: Any) -> dict[str, Any]:
    html = prose.safe_html(value["text"] or "")
    return {
        "picture": picture(value["picture"], HALF),
        "title": clean_line(value["title"] or ""),
        "html": html,
        "text": prose.plain_text(html),
        "link_text": clean_line(value["link_text"] or ""),
        "url": prose.absolute(clean_line(value["url"] or "")),
    }


PREPARE: dict[str, Prepare] = {"image": _image, "two_columns": _two_columns}
