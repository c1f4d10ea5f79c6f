"""What all pages about digests have in common: their header, and the way back."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.frame import frame

# Fewer readers than this are never shown as a number: a small one tells who they are.
FEWEST_SHOWN = 10


def header(here: str, between: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """`between` are the pages between the overview of digests and this one."""
    overview = [] if here == _("Digests") else [(_("Digests"), reverse("desk:digests"))]
    return frame(here, icon="calendar-alt", between=[*overview, *between])
