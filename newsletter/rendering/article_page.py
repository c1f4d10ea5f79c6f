"""A whole article in a mail's dress, for the desk's preview."""

from django.template.loader import render_to_string
from django.utils import translation

from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article
from newsletter.rendering import blocks, plain
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import Look, colours, is_rtl
from newsletter.rendering.teaser import teaser
from newsletter.wire import mjml


def compose(article: Article) -> tuple[str, str]:
    """Return HTML and text of the article as it is in memory: teaser first, then its body."""
    publisher = Publisher.current()
    light, dark = colours(publisher.brand_colour)
    name = clean_line(publisher.name)
    look = Look(
        language=article.language,
        rtl=is_rtl(article.language),
        brand=light,
        brand_dark=dark,
        newsletter_name="",
        publisher_name=name,
        postal_address="",
        footer_note="",
        emergency_number=clean_line(publisher.emergency_number),
        logo_url="",
        logo_width=0,
    )
    with translation.override(article.language):
        body = blocks.render(article.body, look)
        context = {
            **look.context(),
            "title": clean_line(article.title),
            "article": teaser(article),
            "sources": [clean_line(source) for source in article.source_list],
        }
        html = mjml.to_html(
            render_to_string("emails/article.mjml", {**context, "blocks": body.mjml})
        )
        text = render_to_string("emails/article.txt", {**context, "blocks": body.text})
    return html, plain.tidy(text)
