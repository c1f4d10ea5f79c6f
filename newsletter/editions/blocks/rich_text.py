"""Running text."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import RichTextBlock

from newsletter.editions.blocks.picture import Pictured

# What the toolbar offers. What may stand in a mail is decided when it is rendered.
PROSE_FEATURES = ["h3", "bold", "italic", "ol", "ul", "link"]

# The menu of merge tags under a text of an issue; an article has no reader whose name it knows.
MERGE_TAGS_FEATURE = "merge-tags"


class ProseBlock(Pictured, RichTextBlock):
    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("features", PROSE_FEATURES)
        super().__init__(**kwargs)

    class Meta:
        label = _("Text")
        icon = "pilcrow"
        group = _("Text")
        description = _("Running text with bold, lists, links and small headings.")


class LetterBlock(ProseBlock):
    """Running text of an issue, which may speak to the reader by name."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(features=[*PROSE_FEATURES, MERGE_TAGS_FEATURE], **kwargs)
