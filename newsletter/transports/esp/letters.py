"""A finished message taken apart again, because APIs want its parts and not its bytes."""

import uuid
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import Message
from email.utils import parseaddr

from django.core.mail import EmailMultiAlternatives

from newsletter.transports.protocol import Outgoing
from newsletter.transports.values import Envelope, UnsafeEnvelope

# Headers that an API takes as fields of their own, or writes itself.
_FIELDS = frozenset(
    {
        "from", "to", "cc", "bcc", "subject", "reply-to", "mime-version", "content-type",
        "content-transfer-encoding",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """One reader's copy, as an API takes it. `address` is the one that its To header names."""

    key: int
    address: str
    to: str
    sender: str
    subject: str
    reply_to: str
    headers: dict[str, str]
    text: str
    html: str
    content: bytes

    @property
    def message_id(self) -> str:
        return self.headers.get("Message-ID", "")

    @property
    def likeness(self) -> tuple[str, ...]:
        """What letters must have in common to go out in one call."""
        return (self.sender, self.reply_to, self.subject, "html" if self.html else "")


class ApiMessage(EmailMultiAlternatives):
    """What anymail is given: one letter, or several that go out in one call."""

    letters: list[Letter]

    @property
    def idempotency_key(self) -> str:
        """A UUID that is the same for the same letters: theirs are fixed for ever by Message-ID."""
        ids = "\n".join(letter.message_id for letter in self.letters)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, ids))


def opened(outgoing: Outgoing) -> Letter:
    """Raises UnsafeEnvelope for an address that no API carries."""
    envelope: Envelope = outgoing.envelope
    if not envelope.recipient.isascii() and not envelope.recipient.rpartition("@")[0].isascii():
        # RFC 6531: refused clearly rather than sent to an address that somebody else rewrote.
        raise UnsafeEnvelope("The ESP cannot carry an address with letters outside ASCII.")
    parsed = message_from_bytes(envelope.content)
    to, address = _person(parsed, "To", envelope.recipient)
    sender, _ = _person(parsed, "From", envelope.sender)
    text, html = _bodies(parsed)
    return Letter(
        key=outgoing.key,
        address=address,
        to=to,
        sender=sender,
        subject=_decoded(_line(parsed, "Subject")),
        reply_to=_line(parsed, "Reply-To"),
        headers={
            name: _unfolded(str(value))
            for name, value in parsed.items()
            if name.lower() not in _FIELDS
        },
        text=text,
        html=html,
        content=envelope.content,
    )


def as_django_message(letters: list[Letter], *, switch_tracking_off: bool = True) -> ApiMessage:
    """Return the letters as anymail takes them; several only where the ESP sends each by itself.

    anymail refuses to switch tracking off where an ESP's calls cannot; then its account must.
    """
    first = letters[0]
    several = len(letters) > 1
    message = ApiMessage(
        subject=first.subject,
        body=first.text,
        from_email=first.sender,
        to=[letter.to for letter in letters],
        reply_to=[first.reply_to] if first.reply_to else None,
        headers=None if several else dict(first.headers),
    )
    message.letters = letters
    if first.html:
        message.attach_alternative(first.html, "text/html")
    if several:
        message.merge_headers = {  # type: ignore[attr-defined]
            letter.address: dict(letter.headers) for letter in letters
        }
    if switch_tracking_off:
        # No pixel and no rewritten link behind our back (invariant 12).
        message.track_opens = False  # type: ignore[attr-defined]
        message.track_clicks = False  # type: ignore[attr-defined]
    return message


def _bodies(parsed: Message) -> tuple[str, str]:
    found = {"text/plain": "", "text/html": ""}
    for part in parsed.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind]:
            raw = part.get_payload(decode=True)
            assert isinstance(raw, bytes)
            found[kind] = raw.decode(part.get_content_charset("utf-8")).replace("\r\n", "\n")
    return found["text/plain"], found["text/html"]


def _person(parsed: Message, name: str, otherwise: str) -> tuple[str, str]:
    """Return (name and address as an API reads them, the bare address)."""
    display, address = parseaddr(_line(parsed, name))
    address = address or otherwise
    words = _decoded(display)
    if not words:
        return address, address
    return str(Address(display_name=words, addr_spec=address)), address


def _line(parsed: Message, name: str) -> str:
    return _unfolded(str(parsed[name] or ""))


def _unfolded(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def _decoded(words: str) -> str:
    return str(make_header(decode_header(words)))
