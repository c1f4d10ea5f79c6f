"""Whether a domain takes mail at all (RFC 5321 section 5.1, RFC 7505), and throw-away domains."""

import logging
import threading
import time
from functools import cache
from hashlib import sha256
from pathlib import Path

import dns.exception
import dns.resolver
from django.conf import settings
from django.core.cache import cache as store
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# One answer, all its questions together. A reader waits for it.
WITHIN = 1.5
KEPT, KEPT_IF_DEAD, KEPT_IF_UNKNOWN = 86_400, 3_600, 300
# Whoever asks with a cached answer waits as the first one did, up to this long. Otherwise the
# answer's speed would tell that somebody at a domain, perhaps a person's own, was here lately.
WAITS_AT_MOST = 0.25
# Most readers are here, and these take mail.
COMMON = frozenset(
    {
        "aol.com",
        "gmail.com",
        "gmx.at",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mac.com",
        "mail.com",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "t-online.de",
        "web.de",
        "yahoo.com",
        "yahoo.es",
        "ymail.com",
    }
)
# No more threads than these wait for name servers; the others let the domain pass.
_at_once = threading.BoundedSemaphore(2)


def is_disposable(address_key: str) -> bool:
    """Return True for the best known throw-away domains. A flag, never a reason to refuse."""
    labels = address_key.rpartition("@")[2].split(".")
    listed = _disposable()
    return any(".".join(labels[at:]) in listed for at in range(len(labels) - 1))


def takes_no_mail(domain: str) -> bool:
    """Return True when name servers say for certain that nobody at `domain` gets mail.

    Slow, broken or missing name servers count for the reader: False.
    """
    if not settings.SIGN_UP_LOOKS_UP_DOMAINS or domain in COMMON:
        return False
    key = f"signup:domain:{sha256(domain.encode()).hexdigest()[:40]}"
    known = _recall(key)
    if known is not None:
        dead, seconds = known
        time.sleep(min(seconds, WAITS_AT_MOST))
        return dead
    if not _at_once.acquire(blocking=False):
        return False
    begun = time.monotonic()
    try:
        answer = _look_up(domain)
    finally:
        _at_once.release()
    if answer is None:
        _remember(key, False, 0.0, KEPT_IF_UNKNOWN)
        return False
    _remember(key, answer, time.monotonic() - begun, KEPT_IF_DEAD if answer else KEPT)
    return answer


def _look_up(domain: str) -> bool | None:
    """Return whether `domain` is dead; None when that cannot be known now."""
    deadline = time.monotonic() + WITHIN
    try:
        for kind in ("MX", "A", "AAAA"):
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                found = list(_resolver().resolve(f"{domain}.", kind, lifetime=left))
            except dns.resolver.NoAnswer:
                continue
            if kind == "MX":
                # One lone dot: "this domain accepts no mail" (RFC 7505 section 3).
                return all(str(record.exchange) == "." for record in found)
            return False
    except dns.resolver.NXDOMAIN:
        return True
    except (dns.exception.DNSException, OSError, ValueError) as error:
        log.info("A sign-up's domain could not be looked up: %s", type(error).__name__)
        return None
    return True


@cache
def _resolver() -> dns.resolver.Resolver:
    return dns.resolver.Resolver()


@cache
def _disposable() -> frozenset[str]:
    lines = Path(__file__).with_name("disposable_domains.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _recall(key: str) -> tuple[bool, float] | None:
    try:
        known: tuple[bool, float] | None = store.get(key)
    except (RedisError, OSError) as error:
        log.warning("What is known of domains is out of reach: %s", error)
        return None
    return known


def _remember(key: str, dead: bool, seconds: float, keep: int) -> None:
    try:
        store.set(key, (dead, seconds), timeout=keep)
    except (RedisError, OSError) as error:
        log.warning("What was learned of a domain could not be kept: %s", error)
