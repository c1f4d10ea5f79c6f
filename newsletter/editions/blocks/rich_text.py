"""Running text."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import RichTextBlock

from newsletter.editions.blocks.picture import Pictured

# What the toolbar offers. What may stand in a mail is decided when it is rendered.
PROSE_FEATURES = ["h3", "bold", "italic", "ol", "ul", "link"]


class ProseBlock(Pictured, RichTextBlock):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(features=PROSE_FEATURES, **kwargs)

    class Meta:
        label = _("Text")
        icon = "pilcrow"
        group = _("Text")
        description = _("Running text with bold, lists, links and small headings.")
