"""Asking for a donation, without guilt."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock, TextBlock

from newsletter.editions.blocks.button import web_address
from newsletter.editions.blocks.picture import Pictured


class AppealBlock(Pictured, StructBlock):
    title = CharBlock(label=_("title"), max_length=80)
    text = TextBlock(
        label=_("text"), max_length=600, help_text=_("Say what a gift does. No guilt, no hurry.")
    )
    button_text = CharBlock(label=_("button"), max_length=40, default=_("Give"))
    url = CharBlock(label=_("its address"), max_length=500, validators=[web_address])

    class Meta:
        label = _("Appeal")
        icon = "pick"
        group = _("Support")
        description = _("Asks for a donation, in a quiet box.")
