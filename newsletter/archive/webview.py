"""A sent mail as a page: the frozen, approved message with nobody's name or links in it."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.utils.translation import gettext as _

from newsletter.approval.models import Frozen
from newsletter.rendering import links
from newsletter.sending.models import Mailing
from newsletter.wire.message import CompiledMessage
from newsletter.wire.slots import Slot

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


class NothingFrozen(LookupError):
    """The mailing holds no message that could be shown."""


def frozen_message(mailing: Mailing) -> CompiledMessage:
    """Return what the mailing's readers get, in the issue's own language if it has several.

    Raises NothingFrozen.
    """
    editions = list(
        mailing.editions.filter(frozen__form=Frozen.Form.MESSAGE)
        .select_related("frozen")
        .order_by("variant", "pk")
    )
    own = mailing.issue.language if mailing.issue else mailing.newsletter.language
    for edition in sorted(editions, key=lambda edition: edition.language != own):
        if edition.frozen is not None:
            return CompiledMessage.from_bytes(bytes(edition.frozen.content))
    raise NothingFrozen(f"Mailing {mailing.pk} has no frozen message.")


def neutral_values(message: CompiledMessage) -> dict[str, str]:
    """Values that are true of anybody: the links lead where a reader asks for one by mail."""
    known: dict[str, str] = {
        Slot.TO: "reader@example.invalid",
        Slot.DATE: "Thu, 01 Jan 1970 00:00:00 +0000",  # headers are not shown
        Slot.MESSAGE_ID: "<web@example.invalid>",
        Slot.UNSUBSCRIBE_URL: links.preferences_request(),
        Slot.WITHDRAW_URL: links.preferences_request(),
        Slot.PREFERENCES_URL: links.preferences_request(),
        Slot.REASON: _("You are reading this mail on our website."),
    }
    return {slot: known.get(slot, "") for slot in message.slots}


def page_of(message: bytes) -> str:
    """Return a whole message's HTML; its links open in the page around the frame it stands in."""
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_top">', _part(message, "html"), count=1)


def subject_of(message: bytes) -> str:
    return str(message_from_bytes(message, policy=policy.default)["Subject"] or "")


def text_of(message: bytes) -> str:
    """Return a whole message's plain text."""
    return _part(message, "plain")


def _part(message: bytes, subtype: str) -> str:
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    part = parsed.get_body((subtype,))
    content = part.get_content() if part is not None else ""
    return content if isinstance(content, str) else ""
