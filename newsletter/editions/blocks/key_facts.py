"""The few points that somebody in a hurry should take away."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, ListBlock, StructBlock

from newsletter.editions.blocks.picture import Pictured


class KeyFactsBlock(Pictured, StructBlock):
    title = CharBlock(label=_("title"), max_length=80, default=_("Key facts"))
    facts = ListBlock(CharBlock(label=_("fact"), max_length=240), min_num=1, max_num=8)

    class Meta:
        label = _("Key facts")
        icon = "list-ul"
        group = _("Text")
        description = _("The few points that somebody in a hurry should take away.")
