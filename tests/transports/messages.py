"""Envelopes for the transports' tests."""

from collections.abc import Iterable, Iterator

from newsletter.transports.protocol import Outgoing, Transport, send_in_order
from newsletter.transports.values import Envelope, Receipt


def content(body: bytes = b"Hello.\r\n", *, to: str = "ada@example.org") -> bytes:
    return (
        b"From: Wellread <hello@wellread.example>\r\n"
        b"To: " + to.encode() + b"\r\n"
        b"Subject: Living well\r\n"
        b"Message-ID: <1.2.3@wellread.example>\r\n"
        b"List-Unsubscribe: <https://wellread.example/unsubscribe/abc/>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body
    )


def envelope(recipient: str = "ada@example.org", body: bytes = b"Hello.\r\n") -> Envelope:
    return Envelope("bounces@wellread.example", recipient, content(body, to=recipient))


def outgoing(envelopes: Iterable[Envelope]) -> Iterator[Outgoing]:
    """What a transport takes, numbered from 0."""
    return (Outgoing(key, one) for key, one in enumerate(envelopes))


def send(transport: Transport, *readers: str) -> list[Receipt]:
    """Send one message to each reader; return the receipts in the readers' order."""
    return send_in_order(transport, [envelope(reader) for reader in readers])
