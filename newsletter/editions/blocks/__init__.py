"""What an issue or an article can be made of. One block, one file."""

from wagtail.blocks import RichTextBlock, StreamBlock


class IssueBody(StreamBlock):
    rich_text = RichTextBlock()


class ArticleBody(StreamBlock):
    rich_text = RichTextBlock()
