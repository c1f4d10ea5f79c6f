"""What an earlier mail got wrong, and what is right: said first, and plainly."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StructBlock, TextBlock

from newsletter.editions.blocks.picture import Pictured


class CorrectionBlock(Pictured, StructBlock):
    was_wrong = TextBlock(
        label=_("what was wrong"),
        max_length=400,
        help_text=_("In a plain sentence, as it stood there. It is shown on the website too."),
    )
    is_right = TextBlock(label=_("what is right"), max_length=400)
    to_do = TextBlock(
        label=_("what readers should do"),
        max_length=300,
        required=False,
        help_text=_("If they may have followed it: what to do now, and whom to ask."),
    )

    class Meta:
        label = _("Correction")
        icon = "warning"
        group = _("Care")
        description = _("What an earlier mail got wrong, and what is right.")
