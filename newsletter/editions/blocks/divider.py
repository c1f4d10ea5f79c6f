"""A quiet line between two parts."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StaticBlock


class DividerBlock(StaticBlock):
    class Meta:
        label = _("Divider")
        icon = "horizontalrule"
        admin_text = _("A thin line.")
