"""The envelope sender of one copy, by which a bounce finds back to it (VERP).

`bounce+<version>-<delivery>-<signature>@domain`, all in lower case letters, digits and hyphens,
because relays on the way may fold the case of what they do not own: the version of the key, the
delivery's id, and 80 bits of HMAC-SHA-256 over both. A bounce whose signature does not hold
changes nothing. It never expires: bounces come late. At most 52 octets stand before the `@`, where
64 are allowed (RFC 5321 section 4.5.3.1.1).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash

_PREFIX = "bounce+"
_MAC_DIGITS = 20
# SHA-256's block (FIPS 180-4), which HMAC pads its key to (RFC 2104).
_BLOCK = 64
# Ids are 64 bits wide: decimal, 19 digits at most.
_LONGEST_ID = 19


class BadReturnPath(ValueError):
    """Not an address that we made: damaged, forged, or of a key that is not listed any more."""


def return_path_maker(version: int, secret: bytes, domain: str) -> Callable[[int], str]:
    """Return a function from a delivery's id to its envelope sender. The hot path.

    `version` and `secret` are one of TOKEN_KEYS; the same delivery always gives the same address,
    as long as its key is named. Raises ValueError for an id below 0.
    """
    inner, outer = _hashes(secret)
    inner.update(b"return-path:%d:" % version)
    start, finish = inner.copy, outer.copy
    head, tail = f"{_PREFIX}{version}-", f"@{domain}"

    def make(delivery: int) -> str:
        if delivery < 0:
            raise ValueError("No delivery has such an id.")
        first = start()
        first.update(b"%d" % delivery)
        second = finish()
        second.update(first.digest())
        return f"{head}{delivery}-{second.hexdigest()[:_MAC_DIGITS]}{tail}"

    return make


def read_return_path(address: str, keys: Sequence[tuple[int, bytes]], domain: str) -> int:
    """Return the delivery's id. Any string may be given. Raises BadReturnPath."""
    local, _, host = address.strip().removeprefix("<").removesuffix(">").lower().rpartition("@")
    if host != domain.lower() or not local.startswith(_PREFIX):
        raise BadReturnPath("not an address of ours")
    parts = local.removeprefix(_PREFIX).split("-")
    if len(parts) != 3 or not (_is_number(parts[0]) and _is_number(parts[1])):
        raise BadReturnPath("not the form of our addresses")
    version, delivery = int(parts[0]), int(parts[1])
    known: Mapping[int, bytes] = dict(keys)
    if version not in known:
        raise BadReturnPath("unknown key")
    ours = return_path_maker(version, known[version], domain)(delivery)
    if not hmac.compare_digest(ours.rpartition("@")[0].encode(), local.encode()):
        raise BadReturnPath("wrong signature")
    return delivery


def envelope_id(sender: str) -> str:
    """Return what names the copy in its return path, for ENVID (RFC 3461 section 4.4); "" for a
    sender that was not made here.

    It is signed as the whole is, and says nothing that the return path does not say.
    """
    if not sender.startswith(_PREFIX):
        return ""
    return sender[len(_PREFIX) : sender.rindex("@")]


def _is_number(text: str) -> bool:
    """True for what `str(int)` writes and nothing else, so that each address has one spelling."""
    plain = text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID
    return plain and (text == "0" or text[0] != "0")


def _hashes(secret: bytes) -> "tuple[_Hash, _Hash]":
    """HMAC's two hashes with the key already in them: `hmac.digest` takes twice as long."""
    key = sha256(secret).digest() if len(secret) > _BLOCK else secret
    padded = key.ljust(_BLOCK, b"\0")
    inner = sha256(padded.translate(bytes(octet ^ 0x36 for octet in range(256))))
    outer = sha256(padded.translate(bytes(octet ^ 0x5C for octet in range(256))))
    return inner, outer
