"""A part that only readers get who follow a condition."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import StreamBlock, StructBlock, StructBlockValidationError

from newsletter.editions import merge_tags
from newsletter.editions.blocks.article_card import ArticleCardBlock
from newsletter.editions.blocks.button import ButtonBlock
from newsletter.editions.blocks.callout import CalloutBlock
from newsletter.editions.blocks.choices import ConditionsBlock
from newsletter.editions.blocks.emergency import EmergencyBlock
from newsletter.editions.blocks.heading import HeadingBlock
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.key_facts import KeyFactsBlock
from newsletter.editions.blocks.picture import Pictured
from newsletter.editions.blocks.quote import QuoteBlock
from newsletter.editions.blocks.rich_text import ProseBlock


class FollowersBody(StreamBlock):
    """No sponsor and no appeal: nobody pays to be shown to those with one illness."""

    heading = HeadingBlock()
    rich_text = ProseBlock()
    article_card = ArticleCardBlock()
    image = PictureBlock()
    button = ButtonBlock()
    quote = QuoteBlock()
    key_facts = KeyFactsBlock()
    callout = CalloutBlock()
    emergency = EmergencyBlock()


class OnlyForBlock(Pictured, StructBlock):
    conditions = ConditionsBlock(label=_("for readers who follow"))
    content = FollowersBody(label=_("what they get"))

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        for child in cleaned["content"]:
            words = str(getattr(child.value, "source", child.value))
            if child.block_type in {"heading", "rich_text"} and merge_tags.left_over(words):
                raise StructBlockValidationError(
                    block_errors={
                        "content": ValidationError(
                            _("A name in braces does not work in this part. Take it out.")
                        )
                    }
                )
        return cleaned

    class Meta:
        label = _("Only for followers")
        icon = "view"
        group = _("Care")
        description = _(
            "Only readers who follow one of the conditions get this part. Such an issue leaves "
            "only by a way out that is allowed for health data. The web version leaves it out."
        )
