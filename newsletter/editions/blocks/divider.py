"""A quiet line between two parts."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StaticBlock

from newsletter.editions.blocks.picture import Pictured


class DividerBlock(Pictured, StaticBlock):
    class Meta:
        label = _("Divider")
        icon = "minus"
        group = _("Text")
        description = _("A thin line between two parts.")
        admin_text = _("A thin line.")
