"""A piece of information set apart from the running text."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, RichTextBlock, StructBlock


class CalloutBlock(StructBlock):
    title = CharBlock(label=_("title"), max_length=80)
    text = RichTextBlock(label=_("text"), features=["bold", "italic", "ul", "link"])

    class Meta:
        label = _("Good to know")
        icon = "help"
