"""What the public pages' frame needs to know: where we are, and which drawing there is."""

import re

from django import template
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_NAME = re.compile(r"[a-z0-9-]+")


@register.simple_tag(takes_context=True)
def here(context: Context, *view_names: str) -> SafeString | str:
    """Mark the navigation's link to the page, or to the section, that is being shown."""
    match = getattr(context.get("request"), "resolver_match", None)
    if match is None or match.view_name not in view_names:
        return ""
    value = "page" if match.view_name == view_names[0] else "true"
    return format_html(' aria-current="{}"', value)


@register.simple_tag
def drawing(name: str) -> str:
    """Return the address of a drawing in static/art/, or "" where there is none of that name.

    A condition may name a drawing that a publisher has not supplied; the page does without it.
    """
    if not _NAME.fullmatch(name):
        return ""
    path = f"art/{name}.svg"
    hashed = getattr(staticfiles_storage, "hashed_files", None)
    known = path in hashed if hashed else finders.find(path) is not None
    return staticfiles_storage.url(path) if known else ""
