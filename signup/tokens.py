"""Signed tokens for links: opaque, bound to one purpose, never stored.

A token is url-safe base64 of: key version (1 byte), for most purposes the second it was made
(4 bytes), the ids (8 bytes each), and 18 bytes of HMAC-SHA-256 (144 bits) over the purpose and
all that stands before. Nothing in it tells who the reader is.
"""

import binascii
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from struct import Struct
from typing import Any

from django.conf import settings

MAC_BYTES = 18
# Of a damaged token: 80 bits, for the one thing it may still do (see salvage).
ENOUGH_BYTES = 10
_BLOCK = 64  # SHA-256's block (FIPS 180-4), which HMAC pads its key to (RFC 2104)
_UNSUBSCRIBE = Struct(">BQ")
LASTING_LENGTH = (_UNSUBSCRIBE.size + MAC_BYTES) * 4 // 3
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_LONGEST = 200
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
# What a mail program's line break leaves in the middle, quoted-printable's sign included.
_LINE_BREAK = re.compile(r"=?\s+|=\Z")


class Purpose(StrEnum):
    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    UNDO = "undo"
    ADDRESS = "address"
    # Both from any mail: withdraw a consent, for ever; keep one newsletter, until its date.
    WITHDRAW = "withdraw"
    RENEW = "renew"
    FORM = "form"


# How long a link works. Unsubscribing has no line here: it always does (invariant 17).
MAX_AGE = {
    Purpose.CONFIRM: timedelta(hours=72),
    Purpose.PREFERENCES: timedelta(minutes=30),
    Purpose.UNDO: timedelta(minutes=30),
    Purpose.ADDRESS: timedelta(hours=72),
}
# Links in every copy: no time in them, so that they work for ever and a copy's bytes stay the same.
_LASTING = frozenset({Purpose.UNSUBSCRIBE, Purpose.WITHDRAW})
# How many ids each purpose carries, so that a token has one length and one meaning.
_IDS = {
    Purpose.CONFIRM: 1,
    Purpose.PREFERENCES: 1,
    Purpose.UNDO: 2,
    Purpose.ADDRESS: 1,
    # Until the date of the question, which the row knows.
    Purpose.RENEW: 1,
    Purpose.FORM: 4,
}


class BadToken(ValueError):
    """Not a token that we made for this purpose: damaged, cut short or forged."""


class ExpiredToken(BadToken):
    """Ours, but too old. `claims` still says what it was for, so that a new one can be mailed."""

    def __init__(self, claims: "Claims") -> None:
        super().__init__("expired")
        self.claims = claims


@dataclass(frozen=True, slots=True)
class Claims:
    ids: tuple[int, ...]
    # None for unsubscribe links, which know no time.
    issued_at: datetime | None


def make(purpose: Purpose, *ids: int, at: datetime | None = None) -> str:
    """Return a token for `ids`, made now or `at`; a link sent twice can so be the same link.

    Raises ValueError when the purpose carries another number of ids.
    """
    if purpose in _LASTING:
        (subscription_id,) = ids
        return _lasting(purpose, subscription_id)
    if len(ids) != _IDS[purpose]:
        raise ValueError(f"A token to {purpose} carries {_IDS[purpose]} ids, not {len(ids)}.")
    version, secret = settings.TOKEN_KEYS[0]
    seconds = int(time.time() if at is None else at.timestamp())
    payload = _timed(purpose).pack(version, seconds, *ids)
    return _encode(payload + _mac(purpose, secret, payload))


def read(purpose: Purpose, token: str, max_age: timedelta | None = None) -> Claims:
    """Return what `token` says, if we made it for `purpose` and it is not too old.

    `max_age` takes the place of the purpose's own; a purpose without one never expires.
    Raises BadToken, or its subclass ExpiredToken. Any string may be given.
    """
    raw = _decode(token)
    payload, given = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    layout = _UNSUBSCRIBE if purpose in _LASTING else _timed(purpose)
    if len(payload) != layout.size:
        raise BadToken("wrong length")
    secret = dict(settings.TOKEN_KEYS).get(payload[0])
    if secret is None:
        raise BadToken("unknown key")
    if not hmac.compare_digest(_mac(purpose, secret, payload), given):
        raise BadToken("wrong signature")
    fields = layout.unpack(payload)
    if purpose in _LASTING:
        return Claims(ids=fields[1:], issued_at=None)
    claims = Claims(ids=fields[2:], issued_at=datetime.fromtimestamp(fields[1], UTC))
    limit = max_age or MAX_AGE.get(purpose)
    if limit is not None and time.time() - fields[1] > limit.total_seconds():
        raise ExpiredToken(claims)
    return claims


def salvage(purpose: Purpose, token: str) -> Claims | None:
    """Return what a damaged token of `purpose` still says; None where too little is whole.

    Mail programs cut long links, break them, or take a full stop for a part of them. Whole must be
    what says whose link it was, and ENOUGH_BYTES of its signature, which nobody guesses either.
    That is less than `read` asks for, so it opens nothing: it only tells to whose mailbox a fresh
    link may be mailed, and whoever presses that button learns nothing.
    """
    whole = _ALPHABET.match(_LINE_BREAK.sub("", token[:_LONGEST]))
    encoded = whole[0] if whole else ""
    # A single sign left over holds no byte.
    encoded = encoded[: len(encoded) - (len(encoded) % 4 == 1)]
    raw = binascii.a2b_base64(
        encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4)
    )
    layout = _UNSUBSCRIBE if purpose in _LASTING else _timed(purpose)
    payload, given = raw[: layout.size], raw[layout.size :][:ENOUGH_BYTES]
    secret = dict(settings.TOKEN_KEYS).get(payload[0]) if payload else None
    if secret is None or len(given) < ENOUGH_BYTES:
        return None
    if not hmac.compare_digest(_mac(purpose, secret, payload)[:ENOUGH_BYTES], given):
        return None
    fields = layout.unpack(payload)
    if purpose in _LASTING:
        return Claims(ids=fields[1:], issued_at=None)
    return Claims(ids=fields[2:], issued_at=datetime.fromtimestamp(fields[1], UTC))


def unsubscribe_token(subscription_id: int) -> str:
    """Return the link that ends one subscription for good.

    It never expires and survives the rotation of keys, as long as the old key stays listed.
    """
    return _lasting(Purpose.UNSUBSCRIBE, subscription_id)


def withdraw_token(subscription_id: int) -> str:
    """Return the link by which the reader of one subscription withdraws a consent. As lasting."""
    return _lasting(Purpose.WITHDRAW, subscription_id)


def newest_version() -> int:
    """Return the version of the key that tokens made today are signed with."""
    version, _secret = settings.TOKEN_KEYS[0]
    return version


def lasting_signer(purpose: Purpose, version: int | None = None) -> Callable[[int], bytes]:
    """Return a function from subscription id to token (LASTING_LENGTH ASCII bytes).

    For the hot path, some 1.3 µs a token. `version` names the key, so that a copy that is sent
    again after a rotation has the same bytes; the newest one stands in for a key that is not
    listed any more, since nobody could check its tokens.
    """
    keys = settings.TOKEN_KEYS
    chosen = next((pair for pair in keys if pair[0] == version), keys[0])
    number, inner, outer = _prepared(chosen, purpose)
    start, finish, pack = inner.copy, outer.copy, _UNSUBSCRIBE.pack
    encode = binascii.b2a_base64

    def sign(subscription_id: int) -> bytes:
        payload = pack(number, subscription_id)
        first = start()
        first.update(payload)
        second = finish()
        second.update(first.digest())
        encoded = encode(payload + second.digest()[:MAC_BYTES], newline=False)
        return encoded.translate(_URL_SAFE)

    return sign


def _lasting(purpose: Purpose, subscription_id: int) -> str:
    return lasting_signer(purpose)(subscription_id).decode("ascii")


@cache
def _prepared(versioned: tuple[int, bytes], purpose: Purpose) -> tuple[int, Any, Any]:
    """Return the version and HMAC's two half-done hashes: half of its cost is the key's padding."""
    version, secret = versioned
    if len(secret) > _BLOCK:
        secret = sha256(secret).digest()
    padded = secret.ljust(_BLOCK, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in padded) + _domain(purpose))
    return version, inner, sha256(bytes(byte ^ 0x5C for byte in padded))


@cache
def _timed(purpose: Purpose) -> Struct:
    return Struct(f">BI{_IDS[purpose]}Q")


@cache
def _domain(purpose: Purpose) -> bytes:
    return f"wellread:{purpose.value}\0".encode()


def _mac(purpose: Purpose, secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _domain(purpose) + payload, sha256)[:MAC_BYTES]


def _encode(raw: bytes) -> str:
    encoded = binascii.b2a_base64(raw, newline=False).rstrip(b"=")
    return encoded.replace(b"+", b"-").replace(b"/", b"_").decode()


def _decode(token: str) -> bytes:
    if not token.isascii() or not MAC_BYTES < len(token) <= _LONGEST:
        raise BadToken("not a token")
    try:
        standard = token.replace("-", "+").replace("_", "/")
        raw = binascii.a2b_base64(standard + "=" * (-len(token) % 4), strict_mode=True)
    except binascii.Error as error:
        raise BadToken("not a token") from error
    # One token, one spelling: base64 leaves unused bits that could say anything.
    if _encode(raw) != token:
        raise BadToken("not a token")
    return raw
