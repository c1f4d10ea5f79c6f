"""What somebody said."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock, TextBlock

from newsletter.editions.blocks.picture import Pictured


class QuoteBlock(Pictured, StructBlock):
    text = TextBlock(label=_("text"), max_length=600, help_text=_("Without quotation marks."))
    attribution = CharBlock(label=_("who said it"), max_length=160, required=False)

    class Meta:
        label = _("Quote")
        icon = "openquote"
        group = _("Text")
        description = _("What somebody said, set large.")
