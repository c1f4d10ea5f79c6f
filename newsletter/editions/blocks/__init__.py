"""What an issue or an article can be made of. One block, one file; its mail templates are
templates/emails/blocks/<block>.mjml and .txt.

As stored (`issue.body = [("quote", {"text": "…"}), …]`):

=============== ===========================================================================
heading         "text"
rich_text       "<p>HTML</p>" (RichText), sanitised when it is rendered
image           {"image", "alt_text", "decorative"} (wagtail's ImageBlock), issues only
button          {"text", "url"}, issues only
article_card    {"article": Article, "lead": "", "show_artwork": bool}, issues only
quote           {"text", "attribution"}
divider         None, issues only
key_facts       {"title", "facts": ["…"]}
callout         {"title", "text": "<p>HTML</p>"}
emergency       {"title", "signs": ["…"], "condition": Condition or None, "number": ""}; an
                empty number is that of the newsletter's country, or the publisher's
correction      {"was_wrong", "is_right", "to_do"}, issues only
two_columns     {"first": {"picture", "title", "text", "link_text", "url"}, "second": …}
newest_articles {"title", "conditions": [Condition], "count": 3}
sponsor         {"name", "logo", "text", "link_text", "url"}
appeal          {"title", "text", "button_text", "url"}
publication     {"cover", "title", "text", "price", "button_text", "url"}
only_for        {"conditions": [Condition], "content": [blocks]}
feedback        {"question"}
=============== ===========================================================================

Those from two_columns on are for issues only.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.blocks import StreamBlock, StreamBlockValidationError

from newsletter.editions.blocks.appeal import AppealBlock
from newsletter.editions.blocks.article_card import ArticleCardBlock
from newsletter.editions.blocks.button import ButtonBlock
from newsletter.editions.blocks.callout import CalloutBlock
from newsletter.editions.blocks.correction import CorrectionBlock
from newsletter.editions.blocks.divider import DividerBlock
from newsletter.editions.blocks.emergency import EmergencyBlock
from newsletter.editions.blocks.feedback import FeedbackBlock
from newsletter.editions.blocks.heading import HeadingBlock
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.key_facts import KeyFactsBlock
from newsletter.editions.blocks.newest_articles import NewestArticlesBlock
from newsletter.editions.blocks.only_for import OnlyForBlock
from newsletter.editions.blocks.publication import PublicationBlock
from newsletter.editions.blocks.quote import QuoteBlock
from newsletter.editions.blocks.rich_text import LetterBlock, ProseBlock
from newsletter.editions.blocks.sponsor import SponsorBlock
from newsletter.editions.blocks.two_columns import TwoColumnsBlock
from newsletter.editions.placement import asking_beside_emergency


class ArticleBody(StreamBlock):
    heading = HeadingBlock()
    rich_text = ProseBlock()
    quote = QuoteBlock()
    key_facts = KeyFactsBlock()
    callout = CalloutBlock()
    emergency = EmergencyBlock()


class IssueBody(StreamBlock):
    # In the order and the groups in which the picker offers them.
    heading = HeadingBlock()
    rich_text = LetterBlock()
    two_columns = TwoColumnsBlock()
    key_facts = KeyFactsBlock()
    quote = QuoteBlock()
    divider = DividerBlock()
    article_card = ArticleCardBlock()
    newest_articles = NewestArticlesBlock()
    image = PictureBlock()
    button = ButtonBlock()
    callout = CalloutBlock()
    emergency = EmergencyBlock()
    correction = CorrectionBlock()
    only_for = OnlyForBlock()
    feedback = FeedbackBlock()
    publication = PublicationBlock()
    appeal = AppealBlock()
    sponsor = SponsorBlock()

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if beside := asking_beside_emergency(cleaned):
            refusal = ValidationError(
                _("This stands beside the emergency box. Put a text or an article between them.")
            )
            raise StreamBlockValidationError(block_errors={at: refusal for at in beside})
        return cleaned
