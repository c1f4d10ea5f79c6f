"""The token under a section of a digest: by one POST it stops the condition of that section.

What a reader follows is health data, and a link is seen by proxies, histories and whoever a mail
is forwarded to. So this token, unlike the others, hides its ids too: it is url-safe base64 of the
key's version (1 byte), 18 bytes of HMAC-SHA-256 over both ids, and the ids themselves under a
mask that is derived from those 18 bytes (a synthetic IV as in RFC 5297: the same ids give the
same token, so that a copy sent again has the same bytes, and no two tokens show that they are
about the same condition). It never expires, and survives the rotation of keys as long as the old
key stays listed.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

from django.conf import settings

from signup.tokens import MAC_BYTES, BadToken

_IDS = Struct(">QQ")
_TAG = b"wellread:section\0"
_MASK = b"wellread:section-mask\0"
_BYTES = 1 + MAC_BYTES + _IDS.size
LENGTH = -(-_BYTES * 4 // 3)


class Section(NamedTuple):
    subscription_id: int
    condition_id: int


def signer(version: int | None = None) -> Callable[[int, int], str]:
    """Return the function from subscription and condition id to token. The hot path: some 4 µs.

    `version` names one of TOKEN_KEYS; the newest stands in for None and for a key that is no
    longer listed.
    """
    keys = settings.TOKEN_KEYS
    number, secret = next((pair for pair in keys if pair[0] == version), keys[0])
    first = bytes([number])

    def sign(subscription_id: int, condition_id: int) -> str:
        ids = _IDS.pack(subscription_id, condition_id)
        tag = hmac.digest(secret, _TAG + first + ids, sha256)[:MAC_BYTES]
        raw = first + tag + _masked(ids, secret, tag)
        return urlsafe_b64encode(raw)[:LENGTH].decode("ascii")

    return sign


def read(token: str) -> Section:
    """Return what the token is for. Raises BadToken for any string that is not ours."""
    if len(token) != LENGTH or not token.isascii():
        raise BadToken("not a section's token")
    try:
        raw = urlsafe_b64decode(token + "=" * (-LENGTH % 4))
    except ValueError as error:
        raise BadToken("not a token") from error
    # One token, one spelling: base64 leaves unused bits, and skips letters it does not know.
    if len(raw) != _BYTES or urlsafe_b64encode(raw)[:LENGTH].decode("ascii") != token:
        raise BadToken("not a token")
    secret = dict(settings.TOKEN_KEYS).get(raw[0])
    if secret is None:
        raise BadToken("unknown key")
    tag = raw[1 : 1 + MAC_BYTES]
    ids = _masked(raw[1 + MAC_BYTES :], secret, tag)
    expected = hmac.digest(secret, _TAG + raw[:1] + ids, sha256)[:MAC_BYTES]
    if not hmac.compare_digest(expected, tag):
        raise BadToken("wrong signature")
    return Section._make(_IDS.unpack(ids))


def _masked(ids: bytes, secret: bytes, tag: bytes) -> bytes:
    """Put the mask on, or take it off: it is the same."""
    mask = hmac.digest(secret, _MASK + tag, sha256)[: _IDS.size]
    return (int.from_bytes(ids) ^ int.from_bytes(mask)).to_bytes(_IDS.size)
