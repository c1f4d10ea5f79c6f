"""One guard for every way in: against machines that sign up strangers, never against people.

Nothing here refuses a person for being fast, old-fashioned or without JavaScript. What looks
like a machine has to press the button once more, or counts for more against the limits.

The limits stand in the cache (Redis). When it is down they are open: a reader's sign-up is worth
more than a perfect fence, and the fence that matters, one confirmation per address and day, is
counted from rows (signup.subscribe).
"""

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from hashlib import sha256

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from signup import tokens
from signup.address import hash_address
from signup.models import ConsentText

log = logging.getLogger(__name__)

TOO_FAST = timedelta(seconds=2)
SUSPICIOUS_COUNTS = 3  # against the limits of the network and the domain


@dataclass(frozen=True, slots=True)
class Limit:
    most: int
    within: timedelta


PER_NETWORK = Limit(60, timedelta(hours=1))
PER_ADDRESS = Limit(6, timedelta(days=1))
PER_DOMAIN = Limit(3_000, timedelta(hours=1))
PER_INSTANCE = Limit(20_000, timedelta(hours=1))


class Place(IntEnum):
    """Where a form stood, so that the ledger can name the page."""

    SIGN_UP_PAGE = 1
    CONDITION_PAGE = 2
    CONDITION_SIGN_UP_PAGE = 3
    PREFERENCES_PAGE = 4


class Verdict(Enum):
    LET_IN = "let in"
    # Not a form of ours, or a trap was sprung: show the form again, everything kept.
    PRESS_AGAIN = "press again"
    # Too much from this network or to this domain: say so, everything kept.
    TOO_MANY = "too many"
    # Too often for this address: answer as ever, do nothing (invariant 13).
    ANSWER_ONLY = "answer only"


@dataclass(frozen=True, slots=True)
class FormToken:
    """What a form of ours carries back: where it stood and which wordings it showed."""

    place: Place
    text_ids: tuple[int, ...]
    age: timedelta


def form_token(place: Place, texts: Mapping[ConsentText.Purpose, ConsentText]) -> str:
    """Return the hidden field's value. It takes the place of a CSRF cookie (docs/privacy.md).

    A public page sets no cookie (invariant 14), and there is nothing to ride on: a sign-up acts
    for nobody who is logged in. The token shows that the form came from here and which exact
    wordings stood beside its boxes. It never expires, since pages are cached and left open.
    """
    ids = [texts[purpose].pk if purpose in texts else 0 for purpose in ConsentText.Purpose]
    return tokens.make(tokens.Purpose.FORM, place, *ids)


def read_form_token(raw: str) -> FormToken | None:
    """Return what the hidden field says, or None when it is not ours."""
    try:
        claims = tokens.read(tokens.Purpose.FORM, raw)
        place = Place(claims.ids[0])
    except ValueError:
        return None
    age = datetime.now(UTC) - (claims.issued_at or datetime.now(UTC))
    return FormToken(place, tuple(filter(None, claims.ids[1:])), age)


def judge(*, address_key: str, network: str | None, token: FormToken | None, trap: str) -> Verdict:
    """Decide about one sign-up. `network` as from `network_of`; `trap` is the honeypot's field."""
    if token is None or trap:
        return Verdict.PRESS_AGAIN
    weight = SUSPICIOUS_COUNTS if token.age < TOO_FAST else 1
    domain = address_key.rpartition("@")[2]
    address = sha256(hash_address(address_key)).hexdigest()[:32]
    try:
        if network is not None and _over("network", network, PER_NETWORK, weight):
            return Verdict.TOO_MANY
        if _over("instance", "all", PER_INSTANCE, weight):
            return Verdict.TOO_MANY
        if _over("domain", domain, PER_DOMAIN, weight):
            return Verdict.TOO_MANY
        if _over("address", address, PER_ADDRESS, 1):
            return Verdict.ANSWER_ONLY
    except (RedisError, OSError) as error:
        log.warning("The sign-up limits are open, the cache does not answer: %s", error)
    return Verdict.LET_IN


def network_of(meta: Mapping[str, object]) -> str | None:
    """Return the network a request came from: IPv4 /24, IPv6 /56; None when it cannot be known.

    `TRUSTED_PROXIES` says how many proxies of our own stand before us; each adds one address at
    the end of X-Forwarded-For, so the client's is that many from the end. What stands further
    left was written by the client and proves nothing. A private address is a proxy that nobody
    told us about: to count it would be to lock out everybody at once.
    """
    hops = int(getattr(settings, "TRUSTED_PROXIES", 0))
    raw = str(meta.get("REMOTE_ADDR", ""))
    if hops:
        forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if len(forwarded) < hops:
            return None
        raw = forwarded[-hops].strip()
    try:
        address = ipaddress.ip_address(raw)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global:
        return None
    prefix = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def _over(kind: str, what: str, limit: Limit, weight: int) -> bool:
    """Count `what` in a fixed window, and say whether that is too many.

    The key is a hash: a network or a domain tells something about people.
    """
    window = int(datetime.now(UTC).timestamp() // limit.within.total_seconds())
    name = sha256(f"{kind}:{what}:{window}".encode()).hexdigest()[:40]
    key = f"signup:limit:{name}"
    cache.add(key, 0, timeout=int(limit.within.total_seconds()))
    try:
        return cache.incr(key, weight) > limit.most
    except ValueError:
        return False  # it ran out between the two lines: a new window has begun
