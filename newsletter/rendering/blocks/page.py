"""What a block must know of the mail that it stands in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from newsletter.rendering.look import Look

# The width of text in a mail of 600, that of one of two columns, and the space between them.
COLUMN = 552
HALF = 264


@dataclass(frozen=True, slots=True)
class Rendered:
    mjml: SafeString
    text: str


@dataclass
class Page:
    look: Look
    under_heading: bool = False
    # In a part for some readers nothing else is a reader's own (wire.slots.stretch_marks).
    in_stretch: bool = False
    # An article on the web has no reader whose name could stand in it.
    fills_prose: bool = False
    # Where "more like this" leads, or "" for what is no issue yet.
    feedback_url: str = ""
    # "Newest articles" are not newer than this, and not among those shown already.
    newest_until: datetime | None = None
    shown_articles: set[int] = field(default_factory=set)

    @property
    def level(self) -> str:
        """The level of a block's own heading: below a heading block, or in its place."""
        return "h3" if self.under_heading else "h2"


# From a block's value to what its templates need; None for a block that says nothing.
Prepare = Callable[[Any, Page], dict[str, Any] | None]
