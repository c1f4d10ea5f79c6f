"""An issue, compiled: the whole message with slots, once for all its readers."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.editions.models import Article, Issue
from newsletter.rendering import blocks, links, merge_tags, plain
from newsletter.rendering.blocks.articles import newest
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.heading_lines import header_lines
from newsletter.rendering.look import Look, look_of
from newsletter.wire import mjml
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark


@dataclass(frozen=True, slots=True)
class CompiledEdition:
    """What one set of readers gets. `html` and `text` still hold the slots' marks."""

    html: str
    text: str
    message: CompiledMessage
    # SHA-256 of the stored message: the same content, theme and settings give the same hash.
    content_hash: bytes


def compile_issue(issue: Issue, *, language: str | None = None) -> CompiledEdition:
    """Compile `issue` as it is in memory, saved or not.

    Deterministic. An issue that is not finished compiles too, so that it can be previewed and
    checked; what is missing is preflight's to say.

    Raises wire.headers.UnsafeValue for what may not stand in a header.
    """
    html, text = compose(issue, language=language)
    subject = clean_line(issue.subject) or _("(no subject yet)")
    message = compile_message(
        header_lines(issue.newsletter, subject=subject, campaign=f"i{issue.pk or 0}"),
        text,
        html,
        boundary=boundary_for(text, html),
    )
    return CompiledEdition(html, text, message, hashlib.sha256(message.to_bytes()).digest())


def compose(issue: Issue, *, language: str | None = None) -> tuple[str, str]:
    """Return the issue's HTML and text, slots still as marks."""
    language = language or issue.language
    look = look_of(issue.newsletter, language)
    with translation.override(language):
        body = blocks.render(issue.body, look, _page(issue, look))
        context = {
            **look.context(),
            "title": clean_line(issue.title),
            "preheader": clean_line(issue.preheader),
            "greeting": merge_tags.with_slots(issue.greeting, look),
            "reason": mark(
                Slot.REASON,
                _("You get this mail because you asked for “%(newsletter)s”.")
                % {"newsletter": look.newsletter_name},
            ),
            "unsubscribe_url": mark(Slot.UNSUBSCRIBE_URL),
            "withdraw_url": mark(Slot.WITHDRAW_URL),
            "preferences_url": links.preferences_request(),
            "web_url": links.issue(issue.slug) if issue.slug else "",
        }
        html = mjml.to_html(render_to_string("emails/issue.mjml", {**context, "blocks": body.mjml}))
        text = render_to_string("emails/issue.txt", {**context, "blocks": body.text})
    return html, plain.tidy(text)


def shown_articles(issue: Issue) -> list[Article]:
    """Return every article that some copy of the issue shows, by title: those of cards, those that
    are the newest on conditions, and those in parts for some readers."""
    page = _page(issue, look_of(issue.newsletter, issue.language))
    for block in issue.body:
        if block.block_type == "newest_articles":
            page.shown_articles.update(article.pk for article in newest(block.value, page))
    return list(Article.objects.filter(pk__in=page.shown_articles).order_by("title"))


def _page(issue: Issue, look: Look) -> blocks.Page:
    cards = _cards(issue.body.raw_data)
    return blocks.Page(
        look,
        fills_prose=True,
        feedback_url=links.feedback(issue.slug) if issue.slug else "",
        newest_until=issue.newest_until,
        shown_articles=set(cards),
    )


def _cards(raw: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    """The articles that cards show, also those in parts for some readers."""
    for block in raw:
        if block["type"] == "article_card" and block["value"]["article"]:
            yield int(block["value"]["article"])
        elif block["type"] == "only_for":
            yield from _cards(block["value"]["content"])
