"""A digest's shell: everything in the mail but the articles, which are joined in per reader."""

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Newsletter
from newsletter.rendering import links, plain, subjects
from newsletter.rendering.heading_lines import header_lines
from newsletter.rendering.look import look_of
from newsletter.rendering.merge_tags import with_slots
from newsletter.wire import mjml
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark


def compile_shell(newsletter: Newsletter, language: str) -> CompiledMessage:
    """Compile the shell of a digest newsletter in one language.

    Sender, preview line and, but for readers who chose otherwise (rendering.subjects), subject are
    neutral: they are read on a locked screen, by whoever lies beside it, and by every machine on
    the way (invariant 11).
    """
    html, text, subject = compose(newsletter, language)
    return compile_message(
        header_lines(newsletter, subject=mark(Slot.SUBJECT, subject), campaign="digest"),
        text,
        html,
        boundary=boundary_for(text, html),
    )


def compose(newsletter: Newsletter, language: str) -> tuple[str, str, str]:
    """Return HTML, text and subject, slots still as marks."""
    look = look_of(newsletter, language)
    with translation.override(language):
        subject = subjects.neutral()
        context = {
            **look.context(),
            "title": _("Your health reading"),
            "preheader": _("New articles, chosen for you."),
            "greeting": with_slots(_("Hello {first_name|there},")),
            "intro": _("Here is what is new on the conditions you follow."),
            "next_digest": mark(
                Slot.NEXT_DIGEST, _("Your next mail comes when there is something new.")
            ),
            "reason": mark(
                Slot.REASON,
                _("You get this mail because you asked for “%(newsletter)s”.")
                % {"newsletter": look.newsletter_name},
            ),
            "unsubscribe_url": mark(Slot.UNSUBSCRIBE_URL),
            "withdraw_url": mark(Slot.WITHDRAW_URL),
            "preferences_url": links.preferences_request(),
            "conditions_url": links.conditions(),
        }
        html = mjml.to_html(
            render_to_string("emails/digest.mjml", {**context, "body": mark(Slot.BODY_HTML)})
        )
        text = render_to_string("emails/digest.txt", {**context, "body": mark(Slot.BODY_TEXT)})
    return html, plain.tidy(text), subject
