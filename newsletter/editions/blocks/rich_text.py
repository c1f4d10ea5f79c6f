"""Running text."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import RichTextBlock

# What the toolbar offers. What may stand in a mail is decided when it is rendered.
PROSE_FEATURES = ["h3", "bold", "italic", "ol", "ul", "link"]


class ProseBlock(RichTextBlock):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(features=PROSE_FEATURES, **kwargs)

    class Meta:
        label = _("Text")
        icon = "pilcrow"
