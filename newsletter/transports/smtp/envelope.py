"""How one envelope is said in SMTP: its commands, and whether this relay can carry it at all."""

import re
from functools import lru_cache
from typing import NamedTuple

import idna

from newsletter.transports.return_path import envelope_id
from newsletter.transports.values import Envelope, Outcome, Receipt

_LINE_START_DOT = re.compile(rb"(?m)^\.")


class Offer(NamedTuple):
    """What the relay's latest EHLO reply offered (RFC 5321 section 4.1.1.1).

    `limit` is the largest message it takes (RFC 1870), in octets; 0 where it names none.
    """

    pipelining: bool = False
    size: bool = False
    limit: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    # Asks for bounces of one form (RFC 3461).
    dsn: bool = False


def commands(envelope: Envelope, offer: Offer) -> bytes | Receipt:
    """Return MAIL, RCPT and DATA, three lines that open this message, or why it cannot go to this
    relay: nothing was sent then."""
    sender, recipient = envelope.sender, envelope.recipient
    octets = len(envelope.content)
    if 0 < offer.limit < octets:
        said = f"the message has {octets} octets, the relay takes {offer.limit}"
        return Receipt(Outcome.OURS, 552, "5.3.4", said, about_the_line=True)
    options = f" SIZE={octets}" if offer.size else ""
    if not (sender.isascii() and recipient.isascii()):
        sender, recipient = in_a_labels(sender), in_a_labels(recipient)
    if not (sender.isascii() and recipient.isascii()):
        # Never downgraded: another spelling is another mailbox (RFC 6531 section 3).
        if not offer.smtputf8:
            said = "the relay takes no addresses outside ASCII"
            return Receipt(Outcome.PERMANENT, 553, "5.6.7", said)
        options += " SMTPUTF8"
        if offer.eight_bit:
            options += " BODY=8BITMIME"
    elif not (envelope.dot_free or envelope.content.isascii()):
        if not offer.eight_bit:
            said = "the message has octets outside ASCII, and the relay takes none"
            return Receipt(Outcome.OURS, 554, "5.6.3", said)
        options += " BODY=8BITMIME"
    notify = ""
    # Nothing bounces to the null return path.
    if offer.dsn and sender:
        options += _wanted_back(sender)
        notify = _wanted_about(recipient)
    return f"MAIL FROM:<{sender}>{options}\r\nRCPT TO:<{recipient}>{notify}\r\nDATA\r\n".encode()


def _wanted_back(sender: str) -> str:
    """Return what is asked of a bounce (RFC 3461 sections 4.3 and 4.4): no content, which may tell
    of a reader's health and would be 26 kB, and the copy's name where it has one."""
    name = envelope_id(sender)
    return f" RET=HDRS ENVID={_xtext(name)}" if name else " RET=HDRS"


def _wanted_about(recipient: str) -> str:
    """Return when a bounce is wanted, and by which address it is to know the reader though others
    rewrite it (RFC 3461 sections 4.1 and 4.2). That one is ASCII: RFC 6533's form is left out."""
    if not recipient.isascii():
        return " NOTIFY=FAILURE,DELAY"
    return f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{_xtext(recipient)}"


def _xtext(text: str) -> str:
    """Return it as RFC 3461 section 4 writes values. Of what an address may hold, two mean more."""
    if "+" in text or "=" in text:
        return text.replace("+", "+2B").replace("=", "+3D")
    return text


def stuffed(envelope: Envelope) -> bytes:
    """Return the content with a second dot in front of each line's first (RFC 5321 section 4.5.2).

    Without the lone dot that ends it.
    """
    content = envelope.content
    if envelope.dot_free or not (b"\r\n." in content or content.startswith(b".")):
        return content
    return _LINE_START_DOT.sub(b"..", content)


@lru_cache(maxsize=1024)
def in_a_labels(address: str) -> str:
    """Return the address with its domain in ASCII (RFC 5890), unchanged if that cannot be."""
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return address
