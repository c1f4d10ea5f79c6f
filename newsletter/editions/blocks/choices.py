"""Which conditions a block is about."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import ListBlock
from wagtail.snippets.blocks import SnippetChooserBlock


class ConditionsBlock(ListBlock):
    def __init__(self, **kwargs: object) -> None:
        chooser = SnippetChooserBlock("catalogue.Condition", label=_("condition"))
        super().__init__(chooser, min_num=1, max_num=8, **kwargs)
