"""The key that a DKIM signature is checked with, from the DNS (RFC 6376 section 3.6, RFC 8463)."""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.outcomes.domain_records import Resolver, tags_of
from newsletter.outcomes.received.signature import Signature

# What each algorithm of a signature needs (RFC 6376 section 3.3, RFC 8463 section 3).
KINDS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}


class NoKey(Exception):
    """There is no key with which this signature could be valid; the words say why."""


@dataclass(frozen=True, slots=True)
class Key:
    public: RSAPublicKey | Ed25519PublicKey
    # The owner says that nobody should count its signatures yet (t=y).
    is_test: bool

    @property
    def rsa_bits(self) -> int | None:
        return self.public.key_size if isinstance(self.public, RSAPublicKey) else None

    def signed(self, value: bytes, octets: bytes) -> bool:
        """True when `value` is this key's signature of `octets`."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(value, octets, PKCS1v15(), SHA256())
            else:
                # RFC 8463 section 3: what is signed is the hash.
                self.public.verify(value, hashlib.sha256(octets).digest())
        except InvalidSignature:
            return False
        return True


def look_up(signature: Signature, resolver: Resolver) -> Key:
    """Raises NoKey, and DnsUnreachable where nobody answers."""
    name = f"{signature.selector}._domainkey.{signature.domain}"
    records = [tags_of(one) for one in resolver.texts(name) if "p=" in one]
    if not records:
        raise NoKey(f"There is no key at {name}. Add the TXT record that your relay shows.")
    if len(records) > 1:
        raise NoKey(f"There are several keys at {name}; then none counts. Keep one.")
    tags = records[0]
    if not tags.get("p"):
        raise NoKey(f"The key at {name} was revoked (p= is empty). Sign with another.")
    if reason := _unfit(tags, signature):
        raise NoKey(f"The key at {name} {reason}.")
    try:
        public = _load(tags)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NoKey(f"The key at {name} cannot be read. Copy it from your relay anew.") from error
    return Key(public, is_test="y" in _listed(tags, "t"))


def _unfit(tags: dict[str, str], signature: Signature) -> str:
    kind = tags.get("k", "rsa").lower()
    if tags.get("v", "DKIM1") != "DKIM1":
        return "is of a version that nobody knows (v=)"
    if kind != KINDS[signature.algorithm]:
        return f"is for {kind}, and the signature is {signature.algorithm}"
    if "h" in tags and "sha256" not in _listed(tags, "h"):
        return "does not allow SHA-256 (h=)"
    if "s" in tags and not {"*", "email"} & _listed(tags, "s"):
        return "is not for mail (s=)"
    if "s" in _listed(tags, "t") and signature.identity != signature.domain:
        return "is not for domains below it (t=s), which the signature's i= names"
    return ""


def _listed(tags: dict[str, str], name: str) -> set[str]:
    return {one.strip().lower() for one in tags.get(name, "").split(":")}


def _load(tags: dict[str, str]) -> RSAPublicKey | Ed25519PublicKey:
    octets = base64.b64decode("".join(tags["p"].split()), validate=True)
    if tags.get("k", "rsa").lower() == "ed25519":
        return Ed25519PublicKey.from_public_bytes(octets)
    public = load_der_public_key(octets)
    if not isinstance(public, RSAPublicKey):
        raise ValueError("not an RSA key")
    return public
