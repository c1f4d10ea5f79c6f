"""An issue, compiled: the whole message with slots, once for all its readers."""

import hashlib
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.editions.models import Issue
from newsletter.rendering import blocks, links, merge_tags, plain
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.heading_lines import header_lines
from newsletter.rendering.look import look_of
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
        body = blocks.render(issue.body, look)
        context = {
            **look.context(),
            "title": clean_line(issue.title),
            "preheader": clean_line(issue.preheader),
            "greeting": merge_tags.with_slots(issue.greeting),
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
