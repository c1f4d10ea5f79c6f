"""The newest articles about some conditions, chosen when the issue is saved (docs/rendering.md)."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, IntegerBlock, StructBlock

from newsletter.editions.blocks.choices import ConditionsBlock
from newsletter.editions.blocks.picture import Pictured


class NewestArticlesBlock(Pictured, StructBlock):
    title = CharBlock(label=_("title"), max_length=80, default=_("New on our website"))
    conditions = ConditionsBlock(label=_("conditions"))
    count = IntegerBlock(label=_("how many"), min_value=1, max_value=6, default=3)

    class Meta:
        label = _("Newest articles")
        icon = "list-ul"
        group = _("Articles and pictures")
        description = _(
            "What is newest about the conditions you choose. Articles that stand in the issue "
            "already are left out. What the reviewer saw is what goes out."
        )
