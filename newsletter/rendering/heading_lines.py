"""The header lines of newsletter mail (docs/rendering.md lists each with its source)."""

import re

from newsletter.catalogue.models import Newsletter
from newsletter.rendering import links
from newsletter.wire.headers import format_address, list_id, list_url
from newsletter.wire.slots import Slot, mark


def header_lines(newsletter: Newsletter, *, subject: str, campaign: str) -> list[tuple[str, str]]:
    """Return the headers of one edition, with slots for what differs from reader to reader.

    `campaign` is what a mailbox provider's complaint report is grouped by: nothing in it is
    about a reader or a condition (invariant 11).
    """
    domain = mail_domain(newsletter)
    lines = [
        ("From", format_address(newsletter.from_name, newsletter.from_email)),
        ("To", mark(Slot.TO)),
    ]
    if newsletter.reply_to:
        lines.append(("Reply-To", format_address("", newsletter.reply_to)))
    return [
        *lines,
        ("Subject", subject),
        ("Date", mark(Slot.DATE)),
        ("Message-ID", mark(Slot.MESSAGE_ID)),
        ("List-Id", list_id(newsletter.list_id_label, domain)),
        ("List-Unsubscribe", f"<{mark(Slot.UNSUBSCRIBE_URL)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Help", list_url(links.preferences_request())),
        ("List-Post", "NO"),
        ("Precedence", "bulk"),
        ("Feedback-ID", f"{campaign}:n{newsletter.pk}:{newsletter.kind}:{sender_id(domain)}"),
    ]


def mail_domain(newsletter: Newsletter) -> str:
    """Return the domain that the newsletter's mail comes from."""
    return newsletter.from_email.rpartition("@")[2]


def sender_id(domain: str) -> str:
    """Return Feedback-ID's SenderId: 5 to 15 characters, the same in every mail of a sender."""
    return re.sub(r"[^a-z0-9]", "", domain.lower())[:15].ljust(5, "0")
