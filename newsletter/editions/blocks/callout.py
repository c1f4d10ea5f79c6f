"""A piece of information set apart from the running text."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, RichTextBlock, StructBlock

from newsletter.editions.blocks.picture import Pictured


class CalloutBlock(Pictured, StructBlock):
    title = CharBlock(label=_("title"), max_length=80)
    text = RichTextBlock(label=_("text"), features=["bold", "italic", "ul", "link"])

    class Meta:
        label = _("Good to know")
        icon = "help"
        group = _("Care")
        description = _("A piece of information set apart from the text.")
