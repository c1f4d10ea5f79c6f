"""More like this, or less: an answer that a reader gives, and nothing that watches them."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, StructBlock

from newsletter.editions.blocks.picture import Pictured


class FeedbackBlock(Pictured, StructBlock):
    question = CharBlock(label=_("question"), max_length=100, default=_("Was this useful to you?"))

    class Meta:
        label = _("Feedback")
        icon = "comment"
        group = _("Care")
        description = _(
            "Two links: more like this, less like this. They lead to a page with a button. What "
            "is pressed there is counted, without a name."
        )
