"""Sealing the secrets of second factors, so that a copy of the database makes no code.

A secret is 20 octets (RFC 4226 section 4), encrypted and authenticated with HMAC-SHA-256 alone,
which needs no further dependency: a fresh 128-bit nonce and the account's number give one block of
key stream (HMAC as a pseudo-random function, used once), and a second key authenticates version,
account, nonce and what came out (encrypt, then MAC). Both keys are derived from FACTOR_KEYS for
this purpose alone. A seal is good for one account only: copied into another's row it does not open.
"""

import base64
import hmac
import secrets
from binascii import Error as NotBase64
from hashlib import sha256

from django.conf import settings

MOST_OCTETS = 32  # one block of key stream
_NONCE, _TAG = 16, 16


class CannotOpen(Exception):
    """The seal is damaged, of another account, or of a key that FACTOR_KEYS does not list."""


def seal(secret: bytes, *, account: int) -> str:
    """Return `secret` sealed under the newest key, as text: the key's version, then base64."""
    if not 0 < len(secret) <= MOST_OCTETS:
        raise ValueError(f"A secret has 1 to {MOST_OCTETS} octets.")
    version, key = settings.FACTOR_KEYS[0]
    nonce = secrets.token_bytes(_NONCE)
    hidden = _xor(secret, _stream(key, nonce, account))
    whole = nonce + hidden + _tag(key, version, account, nonce + hidden)
    return f"{version}.{base64.urlsafe_b64encode(whole).decode().rstrip('=')}"


def opened(sealed: str, *, account: int) -> bytes:
    """Return the secret. Raises CannotOpen."""
    version = version_of(sealed)
    key = dict(settings.FACTOR_KEYS).get(version or 0)
    if version is None or key is None:
        raise CannotOpen(f"It is sealed with key {version}, which FACTOR_KEYS does not list.")
    text = sealed.partition(".")[2]
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError) as error:
        raise CannotOpen("The seal is damaged.") from error
    body, tag = whole[:-_TAG], whole[-_TAG:]
    if len(body) <= _NONCE or not hmac.compare_digest(tag, _tag(key, version, account, body)):
        raise CannotOpen("The seal is damaged, or of another account.")
    return _xor(body[_NONCE:], _stream(key, body[:_NONCE], account))


def version_of(text: str) -> int | None:
    """Return the version of the key that sealed it; None for a secret that stands there plainly."""
    version, dot, _rest = text.partition(".")
    return int(version) if dot and version.isascii() and version.isdigit() else None


def _stream(key: bytes, nonce: bytes, account: int) -> bytes:
    return hmac.digest(_derived(key, b"stream"), nonce + account.to_bytes(8, "big"), sha256)


def _tag(key: bytes, version: int, account: int, body: bytes) -> bytes:
    about = bytes([version]) + account.to_bytes(8, "big")
    return hmac.digest(_derived(key, b"tag"), about + body, sha256)[:_TAG]


def _derived(key: bytes, what: bytes) -> bytes:
    return hmac.digest(key, b"wellread:second-factor\0" + what, sha256)


def _xor(octets: bytes, stream: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(octets, stream, strict=False))
