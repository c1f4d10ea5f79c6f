"""A DKIM signature: what it says, and the octets that it is about (RFC 6376).

Only what a verifier has to do; that the relay signs is the relay's own business.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.outcomes.received.mail import Field, Mail

_SPACES = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n|\Z)")
_ITS_OWN = re.compile(rb"([:;]\s*b\s*=)[^;]*")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NEEDED = ("v", "a", "b", "bh", "d", "h", "s")


class Malformed(Exception):
    """A DKIM-Signature that no verifier can read."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature field, read (RFC 6376 section 3.5)."""

    field: Field
    domain: str
    selector: str
    identity: str
    algorithm: str
    headers: tuple[str, ...]
    relaxed_headers: bool
    relaxed_body: bool
    length: int | None
    signed_at: datetime | None
    expires_at: datetime | None
    body_hash: bytes
    value: bytes

    def covers(self, mail: Mail, name: str) -> bool:
        """True when each field of that name is signed, as many as there are."""
        return self.headers.count(name.lower()) >= len(mail.all(name))

    def oversigns(self, mail: Mail, name: str) -> bool:
        """True when none of that name can be added without breaking it (section 8.15)."""
        return self.headers.count(name.lower()) > len(mail.all(name))


def parse(one: Field) -> Signature:
    """Raises Malformed."""
    tags = _tags(one)
    missing = [name for name in _NEEDED if not tags.get(name)]
    if missing:
        raise Malformed(f"It lacks {', '.join(f'{name}=' for name in missing)}.")
    if tags["v"] != "1":
        raise Malformed("Its version is not 1.")
    domain, selector = tags["d"].lower(), tags["s"].lower()
    if not _NAME.fullmatch(domain) or not _NAME.fullmatch(selector):
        raise Malformed("Its d= or s= is no name.")
    head, _, body = tags.get("c", "simple/simple").lower().partition("/")
    if not {head, body or "simple"} <= {"simple", "relaxed"}:
        raise Malformed("Its c= is neither simple nor relaxed.")
    headers = tuple(name.strip().lower() for name in tags["h"].split(":"))
    if "from" not in headers:
        raise Malformed("It does not cover From, as it must (RFC 6376 section 5.4).")
    identity = tags.get("i", f"@{domain}").rpartition("@")[2].lower()
    if identity != domain and not identity.endswith(f".{domain}"):
        raise Malformed("Its i= does not belong to its d=.")
    return Signature(
        field=one,
        domain=domain,
        selector=selector,
        identity=identity,
        algorithm=tags["a"].lower(),
        headers=headers,
        relaxed_headers=head == "relaxed",
        relaxed_body=body == "relaxed",
        length=_number(tags, "l"),
        signed_at=_moment(tags, "t"),
        expires_at=_moment(tags, "x"),
        body_hash=_octets(tags, "bh"),
        value=_octets(tags, "b"),
    )


def fits_body(signature: Signature, mail: Mail) -> bool:
    """True when the body is the one that was signed (section 3.7)."""
    return hash_of_body(signature, mail) == signature.body_hash


def hash_of_body(signature: Signature, mail: Mail) -> bytes | None:
    """Return the body's hash; None when there is less of it than was signed."""
    canonical = _relaxed_body(mail.body) if signature.relaxed_body else _simple_body(mail.body)
    if signature.length is not None:
        if signature.length > len(canonical):
            return None
        canonical = canonical[: signature.length]
    return hashlib.sha256(canonical).digest()


def signed_octets(signature: Signature, mail: Mail) -> bytes:
    """Return the header fields as they went into the signature (section 3.7)."""
    canonical = _relaxed_field if signature.relaxed_headers else _simple_field
    chosen = _chosen(mail.fields, signature.headers)
    itself = signature.field
    without = Field(itself.name, _ITS_OWN.sub(rb"\1", itself.octets, count=1))
    return b"".join(map(canonical, chosen)) + canonical(without).removesuffix(b"\r\n")


def _chosen(fields: Sequence[Field], names: Sequence[str]) -> list[Field]:
    """Return the fields from the bottom, as often as each is named (section 5.4.2)."""
    left: dict[str, list[Field]] = {}
    for one in fields:
        left.setdefault(one.name.lower(), []).append(one)
    return [left[name].pop() for name in names if left.get(name)]


def _simple_field(one: Field) -> bytes:
    return one.octets


def _relaxed_field(one: Field) -> bytes:
    """Section 3.4.2."""
    value = one.octets.partition(b":")[2].replace(b"\r\n", b"")
    return one.name.lower().encode() + b":" + _SPACES.sub(b" ", value).strip(b" ") + b"\r\n"


def _simple_body(body: bytes) -> bytes:
    """Section 3.4.3."""
    return _without_empty_end(body) or b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    """Section 3.4.4."""
    return _without_empty_end(_SPACES.sub(b" ", _TRAILING.sub(b"", body)))


def _without_empty_end(body: bytes) -> bytes:
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _tags(one: Field) -> dict[str, str]:
    """Section 3.2: a name twice makes all of it void."""
    tags: dict[str, str] = {}
    for part in one.value.split(";"):
        if not part.strip():
            continue
        name, is_tag, value = part.partition("=")
        name = name.strip()
        if not is_tag or name in tags:
            raise Malformed("Its list of tags cannot be read.")
        tags[name] = value.strip()
    return tags


def _number(tags: dict[str, str], name: str) -> int | None:
    if name not in tags:
        return None
    # The longest that section 3.5 allows for a length has 76 digits, and a moment has 12.
    if not re.fullmatch(r"[0-9]{1,76}", tags[name]):
        raise Malformed(f"Its {name}= is no number.")
    return int(tags[name])


def _moment(tags: dict[str, str], name: str) -> datetime | None:
    seconds = _number(tags, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Malformed(f"Its {name}= is no moment.") from error


def _octets(tags: dict[str, str], name: str) -> bytes:
    try:
        return base64.b64decode("".join(tags[name].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"Its {name}= is not base64.") from error
