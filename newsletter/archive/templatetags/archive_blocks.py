"""Editors' texts as they look on the web. One block, one file in templates/archive/blocks/."""

from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString

from newsletter.editions import merge_tags
from newsletter.rendering.prose import safe_html

register = template.Library()


@register.simple_tag(takes_context=True)
def article_block(context: Context, block: Any) -> str:
    """Render one block of an article.

    Every block type has its template: a missing one is a mistake of ours, not a blank on the page.
    """
    publisher = context["publisher"]
    values = {"value": block.value}
    if block.block_type == "emergency":
        values["number"] = block.value.get("number") or publisher.emergency_number
    return get_template(f"archive/blocks/{block.block_type}.html").render(values)


@register.filter
def prose(source: str) -> SafeString:
    """Return editors' rich text with what may stand in it, whatever way it came in."""
    return safe_html(source or "")


@register.filter
def without_tags(text: str) -> str:
    """Return a heading as somebody without a name reads it: {first_name|there} becomes "there"."""
    return merge_tags.replace(text, lambda name, fallback: fallback)
