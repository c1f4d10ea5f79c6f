"""What all pages about digests have in common: their header, and the way back."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

# Fewer readers than this are never shown as a number: a small one tells who they are.
FEWEST_SHOWN = 10


def header(here: str, between: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    digests = {"url": reverse("desk:digests"), "label": _("Digests")}
    return {
        "header_title": here,
        "header_icon": "calendar-alt",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            *([digests] if here != digests["label"] else []),
            *between,
            {"url": "", "label": here},
        ],
    }
