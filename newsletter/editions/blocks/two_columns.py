"""Two short pieces side by side; below each other on a phone."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, RichTextBlock, StructBlock, StructBlockValidationError

from newsletter.editions.blocks.button import web_address
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.picture import Pictured


class ColumnBlock(StructBlock):
    picture = PictureBlock(label=_("picture"), required=False)
    title = CharBlock(label=_("title"), max_length=60, required=False)
    text = RichTextBlock(label=_("text"), features=["bold", "italic", "ul", "link"])
    link_text = CharBlock(
        label=_("link"), max_length=40, required=False, help_text=_("E.g. Read the guide.")
    )
    url = CharBlock(
        label=_("its address"), max_length=500, required=False, validators=[web_address]
    )

    def clean(self, value: object) -> object:
        cleaned = super().clean(value)
        if bool(cleaned["link_text"]) != bool(cleaned["url"]):
            raise StructBlockValidationError(
                block_errors={"url": ValidationError(_("A link needs its words and its address."))}
            )
        return cleaned


class TwoColumnsBlock(Pictured, StructBlock):
    first = ColumnBlock(label=_("first column"))
    second = ColumnBlock(label=_("second column"))

    class Meta:
        label = _("Two columns")
        icon = "grip"
        group = _("Text")
        description = _("Two short pieces side by side. On a phone the second stands below.")
