"""What an issue or an article can be made of. One block, one file; its mail templates are
templates/emails/blocks/<block>.mjml and .txt.

As stored (`issue.body = [("quote", {"text": "…"}), …]`):

==============  ===========================================================================
heading         "text"
rich_text       "<p>HTML</p>" (RichText), sanitised when it is rendered
image           {"image", "alt_text", "decorative"} (wagtail's ImageBlock), issues only
button          {"text", "url"}, issues only
article_card    {"article": Article, "lead": "", "show_artwork": bool}, issues only
quote           {"text", "attribution"}
divider         None, issues only
key_facts       {"title", "facts": ["…"]}
callout         {"title", "text": "<p>HTML</p>"}
emergency       {"title", "signs": ["…"], "number": ""}; an empty number is the publisher's
==============  ===========================================================================
"""

from wagtail.blocks import StreamBlock

from newsletter.editions.blocks.article_card import ArticleCardBlock
from newsletter.editions.blocks.button import ButtonBlock
from newsletter.editions.blocks.callout import CalloutBlock
from newsletter.editions.blocks.divider import DividerBlock
from newsletter.editions.blocks.emergency import EmergencyBlock
from newsletter.editions.blocks.heading import HeadingBlock
from newsletter.editions.blocks.image import PictureBlock
from newsletter.editions.blocks.key_facts import KeyFactsBlock
from newsletter.editions.blocks.quote import QuoteBlock
from newsletter.editions.blocks.rich_text import ProseBlock


class ArticleBody(StreamBlock):
    heading = HeadingBlock()
    rich_text = ProseBlock()
    quote = QuoteBlock()
    key_facts = KeyFactsBlock()
    callout = CalloutBlock()
    emergency = EmergencyBlock()


class IssueBody(StreamBlock):
    heading = HeadingBlock()
    rich_text = ProseBlock()
    article_card = ArticleCardBlock()
    image = PictureBlock()
    button = ButtonBlock()
    quote = QuoteBlock()
    divider = DividerBlock()
    key_facts = KeyFactsBlock()
    callout = CalloutBlock()
    emergency = EmergencyBlock()
