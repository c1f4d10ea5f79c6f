"""Something of ours to order or take away: a leaflet, a book, a course."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock, TextBlock

from newsletter.editions.blocks.button import web_address
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.picture import Pictured


class PublicationBlock(Pictured, StructBlock):
    cover = PictureBlock(label=_("cover"), required=False)
    title = CharBlock(label=_("title"), max_length=100)
    text = TextBlock(label=_("what it is"), max_length=400)
    price = CharBlock(
        label=_("what it costs"), max_length=60, help_text=_("E.g. Free, or 12 euros with postage.")
    )
    button_text = CharBlock(label=_("button"), max_length=40, default=_("Order it"))
    url = CharBlock(label=_("its address"), max_length=500, validators=[web_address])

    class Meta:
        label = _("Publication")
        icon = "doc-full-inverse"
        group = _("Support")
        description = _("A leaflet, book or course of yours, with what it costs.")
