"""What our own mail server wrote on a mail when it put it into its mailbox.

Every server that takes a mail writes its own lines above those that are there, `Received` among
them (RFC 5321 section 4.4). So what stands above the first `Received` was written by whoever put
the mail into the mailbox, after the last word of any stranger: Postfix, Exim, qmail, Courier,
Dovecot and Gmail all put the recipient of the envelope there. A sender's own `Delivered-To` stands
below and is not read, as little as `To`, which anybody may write.

Even so this only says *which* address is looked at. That a report is believed rests on the
signature in that address (`bounce_address`): whoever knows one could as well mail to it.
"""

import re
from collections.abc import Iterator
from email.message import Message

# X-Original-To is what was asked for, before an alias led to the mailbox (Postfix).
_RECIPIENT = frozenset({"delivered-to", "x-original-to", "envelope-to"})
_ADDRESS = re.compile(r"[^\s,<>]+@[^\s,<>]+")


def recipients(mail: "Message[str, str]") -> list[str]:
    """Return the addresses that the mail came to; [] where our own server does not write them."""
    return [
        address
        for name, value in _on_top(mail)
        if name in _RECIPIENT
        for address in _ADDRESS.findall(value)
    ]


def has_null_return_path(mail: "Message[str, str]") -> bool:
    """True when our own server says that nobody is to answer this mail: `Return-Path: <>`."""
    written = [value.strip() for name, value in _on_top(mail) if name == "return-path"]
    return written == ["<>"]


def _on_top(mail: "Message[str, str]") -> Iterator[tuple[str, str]]:
    for name, value in mail.items():
        if name.lower() == "received":
            return
        yield name.lower(), str(value)
