"""Envelopes for the transports' tests."""

from newsletter.transports.values import Envelope


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
