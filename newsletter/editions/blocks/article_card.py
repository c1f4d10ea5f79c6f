"""An article of ours: its drawing, title and summary, with the link to read it."""

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BooleanBlock, CharBlock, StructBlock
from wagtail.snippets.blocks import SnippetChooserBlock

from newsletter.editions.blocks.picture import Pictured


class ArticleCardBlock(Pictured, StructBlock):
    article = SnippetChooserBlock("editions.Article", label=_("article"))
    lead = CharBlock(
        label=_("lead"),
        max_length=400,
        required=False,
        help_text=_("Empty: the article's own summary."),
    )
    show_artwork = BooleanBlock(label=_("show its drawing"), required=False, default=True)

    class Meta:
        label = _("Article")
        icon = "doc-full"
        group = _("Articles and pictures")
        description = _("One article of yours: drawing, title, summary, who reviewed it.")
