"""Whether the relay signed what it must: RFC 8058 section 4, RFC 6376, standards A11.

One signature at least must be valid, belong to From, and cover both unsubscribe fields. Others
beside it (an ESP adds one of its own) do no harm, whatever is wrong with them, but for one that
lets a stranger add words to our mail.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from newsletter.outcomes.domain_records import DnsUnreachable, Finding, Level, Resolver
from newsletter.outcomes.received.key import KINDS, Key, NoKey, look_up
from newsletter.outcomes.received.mail import Field, Mail
from newsletter.outcomes.received.organisation import Author
from newsletter.outcomes.received.signature import (
    Malformed,
    Signature,
    fits_body,
    parse,
    signed_octets,
)

MAX_SIGNATURES = 8
UNSUBSCRIBE = ("List-Unsubscribe", "List-Unsubscribe-Post")
COVERED = (
    *("From", "To", "Subject", "Date", "Message-ID", "List-Id", *UNSUBSCRIBE, "Feedback-ID"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
# RFC 8301 section 3.2.
_LEAST_BITS, _ENOUGH_BITS = 1024, 2048
# How long a mail server tries (RFC 5321 section 4.5.4.1).
_LONGEST_WAIT = timedelta(days=5)


class _State(Enum):
    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass
class _Judged:
    about: str
    domain: str = ""
    state: _State = _State.INVALID
    # None: the DNS was silent.
    is_aligned: bool | None = None
    covers_unsubscribe: bool = False
    # Why the mail is not the one that was signed.
    altered: str = ""
    says: str = ""
    faults: list[tuple[Level, str]] = field(default_factory=list)
    # What no other signature makes good.
    dangers: list[str] = field(default_factory=list)

    @property
    def is_enough(self) -> bool:
        return self.state is _State.VALID and self.could_be_enough

    @property
    def could_be_enough(self) -> bool:
        """As far as is known."""
        might = self.state is not _State.INVALID and self.is_aligned is not False
        return might and self.covers_unsubscribe


def look_at(
    mail: Mail,
    author: Author,
    resolver: Resolver,
    *,
    arrived: datetime,
    found_valid: Collection[str] = (),
    receiver: str = "",
) -> Iterator[Finding]:
    """Yield what there is to say of each signature, then of all together.

    `found_valid` are the domains whose signature the `receiver` says was valid when it `arrived`.
    """
    judged = []
    for one in mail.all("DKIM-Signature")[:MAX_SIGNATURES]:
        found = _judge(one, mail, author, resolver, arrived)
        if found.altered and found.domain in found_valid:
            _doubt(found, receiver)
        judged.append(found)
    enough = any(one.is_enough for one in judged)
    for found in judged:
        yield from _told(found, capped=enough)
    yield _together(judged, author, enough)


def _doubt(found: _Judged, receiver: str) -> None:
    """Where the receiver saw a signature hold that does not, the mail was changed after it came."""
    found.state = _State.UNKNOWN
    found.faults = [
        (Level.UNASKED if level is Level.BAD and message == found.altered else level, message)
        for level, message in found.faults
    ]
    found.faults.append(
        (
            Level.UNASKED,
            f"But {receiver} found it valid, so this file is not the mail as it arrived. Download "
            "the original again and do not copy it from the screen, or take a mailbox at Gmail: "
            "Outlook.com and Exchange show mails that they wrote anew.",
        )
    )


def _told(found: _Judged, *, capped: bool) -> Iterator[Finding]:
    for danger in found.dangers:
        yield Finding(Level.BAD, found.about, danger)
    for level, message in found.faults:
        worst = Level.WARNING if capped and level is Level.BAD else level
        yield Finding(worst, found.about, message)
    if found.says and not found.dangers and not found.faults:
        yield Finding(Level.GOOD, found.about, found.says)


def _together(judged: list[_Judged], author: Author, enough: bool) -> Finding:
    if enough:
        return Finding(
            Level.GOOD,
            "DKIM",
            f"A valid signature that belongs to {author.domain} covers both unsubscribe fields.",
        )
    if not judged:
        return Finding(
            Level.BAD, "DKIM", f"Nobody signed it. Have the relay sign as d={author.domain}."
        )
    if any(one.could_be_enough for one in judged):
        return Finding(
            Level.UNASKED,
            "DKIM",
            "The signature could not be judged; the lines above tell why.",
        )
    return Finding(
        Level.BAD,
        "DKIM",
        f"No signature is valid, belongs to {author.domain} and covers List-Unsubscribe and "
        "List-Unsubscribe-Post. One-click works with such a one only (RFC 8058 section 4).",
    )


def _judge(
    one: Field, mail: Mail, author: Author, resolver: Resolver, arrived: datetime
) -> _Judged:
    try:
        signature = parse(one)
    except Malformed as error:
        return _Judged("DKIM signature", faults=[(Level.BAD, f"It cannot be read. {error}")])
    found = _Judged(f"DKIM {signature.domain} ({signature.selector})", signature.domain)
    try:
        found.is_aligned = author.aligned(signature.domain, strictness="adkim")
        key = _verify(signature, mail, resolver, found)
    except DnsUnreachable as error:
        found.state = _State.UNKNOWN
        found.faults = [(Level.UNASKED, str(error))]
        if found.is_aligned is not False:
            _coverage(signature, mail, found)
        return found
    if not found.is_aligned:
        if found.state is _State.VALID:
            found.faults.clear()
            found.says = f"Valid, but not {author.domain}'s: it speaks for another sender."
        return found
    _dates(signature, found, arrived)
    _coverage(signature, mail, found)
    if key:
        bits = f"RSA with {key.rsa_bits} bits" if key.rsa_bits else "Ed25519"
        found.says = f"Valid, {author.domain}'s own, {bits}; covers all that it should."
    return found


def _verify(signature: Signature, mail: Mail, resolver: Resolver, found: _Judged) -> Key | None:
    """Set the state; return the key of a valid signature. Raises DnsUnreachable."""
    if signature.algorithm not in KINDS:
        found.faults.append(
            (
                Level.BAD,
                f"It is {signature.algorithm}, which receivers may not accept (RFC 8301). "
                "Have the relay sign with rsa-sha256.",
            )
        )
        return None
    try:
        key = look_up(signature, resolver)
    except NoKey as error:
        found.faults.append((Level.BAD, str(error)))
        return None
    if key.rsa_bits and key.rsa_bits < _LEAST_BITS:
        found.faults.append(
            (
                Level.BAD,
                f"Its RSA key has {key.rsa_bits} bits; below {_LEAST_BITS} no receiver may accept "
                f"it (RFC 8301). Make one of {_ENOUGH_BITS}.",
            )
        )
        return None
    if reason := _altered(signature, mail, key):
        found.altered = reason
        found.faults.append((Level.BAD, reason))
        return None
    found.state = _State.VALID
    if key.rsa_bits and key.rsa_bits < _ENOUGH_BITS:
        found.faults.append(
            (
                Level.WARNING,
                f"Its RSA key has {key.rsa_bits} bits. Make one of {_ENOUGH_BITS} (RFC 8301).",
            )
        )
    if key.is_test:
        found.faults.append(
            (
                Level.WARNING,
                "Its key says t=y: only a test. Take that out, then receivers count it.",
            )
        )
    return key


def _altered(signature: Signature, mail: Mail, key: Key) -> str:
    """Return why the mail is not what was signed; "" when it is."""
    if not fits_body(signature, mail):
        return (
            "The body is not the one that was signed: something behind the signer put a footer "
            "under it, rewrote its links or broke its lines. Switch that off, or sign last."
        )
    if not key.signed(signature.value, signed_octets(signature, mail)):
        return (
            "The body is as it was signed, but a header field that the signature covers was "
            "changed or added later (Subject, From, To?), or the key in the DNS is not the one "
            "that signs. Sign last, and compare the key with the relay's."
        )
    return ""


def _dates(signature: Signature, found: _Judged, arrived: datetime) -> None:
    expires = signature.expires_at
    if expires is None:
        return
    if expires < arrived:
        found.state = _State.INVALID
        found.faults.append(
            (
                Level.BAD,
                f"It had expired (x=) when the mail arrived. Leave x= out, or give it "
                f"{_LONGEST_WAIT.days} days.",
            )
        )
    elif signature.signed_at and expires - signature.signed_at < _LONGEST_WAIT:
        found.faults.append(
            (
                Level.WARNING,
                f"It expires (x=) before a mail server stops trying, which takes up to "
                f"{_LONGEST_WAIT.days} days: a mail that waits arrives unsigned. Leave x= out.",
            )
        )


def _coverage(signature: Signature, mail: Mail, found: _Judged) -> None:
    if signature.length is not None:
        found.dangers.append(
            "It covers the body only as far as l= says, so that anybody may add words to our mail "
            "and it stays signed. Switch l= off (body length)."
        )
    bare = [name for name in COVERED if mail.all(name) and not signature.covers(mail, name)]
    found.covers_unsubscribe = all(
        mail.all(name) and signature.covers(mail, name) for name in UNSUBSCRIBE
    )
    worst = [name for name in bare if name in UNSUBSCRIBE]
    if worst:
        found.faults.append(
            (
                Level.BAD,
                f"Its h= leaves out {' and '.join(worst)}, so receivers show no unsubscribe button "
                "(RFC 8058 section 4). Add it to the fields that the relay signs (opendkim: "
                "SignHeaders; rspamd: sign_headers).",
            )
        )
    if others := [name for name in bare if name not in UNSUBSCRIBE]:
        found.faults.append(
            (
                Level.WARNING,
                f"Its h= leaves out {', '.join(others)}: whoever passes the mail on may change it. "
                "Add it to the fields that the relay signs.",
            )
        )
    if not signature.oversigns(mail, "From"):
        found.faults.append(
            (
                Level.WARNING,
                "From can be added a second time and it stays signed. Name From once more in h= "
                "(oversigning; opendkim: OversignHeaders From).",
            )
        )
