"""A sponsor's words: labelled as what they are, with who pays (standards I5)."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock, TextBlock

from newsletter.editions.blocks.button import web_address
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.picture import Pictured


class SponsorBlock(Pictured, StructBlock):
    name = CharBlock(label=_("who pays"), max_length=80)
    logo = PictureBlock(label=_("logo"), required=False)
    text = TextBlock(
        label=_("what they say"),
        max_length=400,
        help_text=_("No medicine that needs a prescription: that is forbidden in the EU."),
    )
    link_text = CharBlock(label=_("link"), max_length=40)
    url = CharBlock(label=_("its address"), max_length=500, validators=[web_address])

    class Meta:
        label = _("Sponsor")
        icon = "tag"
        group = _("Support")
        description = _(
            "Labelled as an advertisement, with who pays and your endorsement policy. It never "
            "stands beside the emergency box."
        )
