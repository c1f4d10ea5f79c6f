"""A safety alert, compiled: the whole article in a mail of its own, with slots for its readers."""

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Article
from newsletter.rendering import blocks, links, merge_tags, plain
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.heading_lines import header_lines
from newsletter.rendering.look import look_of
from newsletter.rendering.teaser import teaser
from newsletter.wire import mjml
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark


def compile_alert(
    newsletter: Newsletter, article: Article, *, language: str, advice: str, correction: bool
) -> CompiledMessage:
    """Compile the alert as readers of `newsletter` get it, its own words in `language`.

    Subject and preview line name neither medicine nor condition: they are read on a locked
    screen (invariant 11). Deterministic.
    """
    html, text = compose(
        newsletter, article, language=language, advice=advice, correction=correction
    )
    with translation.override(language):
        subject = _subject(correction)
    return compile_message(
        header_lines(newsletter, subject=subject, campaign="alert"),
        text,
        html,
        boundary=boundary_for(text, html),
    )


def compose(
    newsletter: Newsletter, article: Article, *, language: str, advice: str, correction: bool
) -> tuple[str, str]:
    """Return the alert's HTML and text, slots still as marks."""
    look = look_of(newsletter, language)
    with translation.override(language):
        body = blocks.render(article.body, look)
        context = {
            **look.context(),
            "title": _subject(correction),
            "preheader": _("Please read this soon."),
            "greeting": merge_tags.with_slots(_("Hello {first_name|there},")),
            "intro": _intro(correction),
            "article": teaser(article, artwork=False),
            "article_language": article.language,
            "advice": clean_line(advice),
            "sources": [clean_line(source) for source in article.source_list],
            "reason": mark(
                Slot.REASON,
                _("You get this mail because you asked for “%(newsletter)s”.")
                % {"newsletter": look.newsletter_name},
            ),
            "unsubscribe_url": mark(Slot.UNSUBSCRIBE_URL),
            "withdraw_url": mark(Slot.WITHDRAW_URL),
            "preferences_url": links.preferences_request(),
        }
        html = mjml.to_html(render_to_string("emails/alert.mjml", {**context, "blocks": body.mjml}))
        text = render_to_string("emails/alert.txt", {**context, "blocks": body.text})
    return html, plain.tidy(text)


def _subject(correction: bool) -> str:
    return _("Correction of safety information") if correction else _("Safety information for you")


def _intro(correction: bool) -> str:
    if correction:
        return _("We wrote to you about this earlier. This mail corrects that one.")
    return _(
        "You follow what this is about, and it may matter to you today. That is why it does not "
        "wait for your usual day."
    )
