"""What Wagtail's frame shows around a page of ours: its title, its icon and the way back."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _


def frame(
    title: str, *, icon: str, between: Iterable[tuple[str, str]] = (), here: str = ""
) -> dict[str, Any]:
    """Return it as context for the page's template.

    `between` are words and address of the pages above this one, the outermost first; `here` is
    what this one is called at the end of the way, where that is shorter than `title`.
    """
    return {
        "header_title": title,
        "header_icon": icon,
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            *({"url": address, "label": words} for words, address in between),
            {"url": "", "label": here or title},
        ],
    }
