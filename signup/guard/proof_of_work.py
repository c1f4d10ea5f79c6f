"""A sum that a browser does in the background and a machine must do a thousand times.

The protocol is ALTCHA's, version 2, served by ourselves: no third party, no picture, nothing to
read or to hear. A challenge is signed, good for half an hour and used once (signup.guard.counters).
static/js/proof-of-work.js solves it.
"""

import hmac
import secrets
import time
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import altcha
from django.conf import settings

from signup.guard import counters
from signup.guard.counters import Work

GOOD_FOR = timedelta(minutes=30)
# PBKDF2 costs a browser what it costs an attacker's program; one bare hash would cost the browser
# fifty times as much. 1,000 rounds are some 0.4 ms.
ALGORITHM = "PBKDF2/SHA-256"
ROUNDS = 1_000
# How many tries a browser needs; known beforehand, so that nobody is unlucky and waits for ever.
TRIES = range(100, 300)
TRIES_UNDER_ATTACK = range(800, 1_600)
_LONGEST = 2_000


def challenge() -> dict[str, Any]:
    """Return a new challenge as the protocol writes it in JSON; harder under attack."""
    now = int(time.time())
    tries = TRIES_UNDER_ATTACK if counters.begin_to_remember(now) else TRIES
    sign, seal = _secrets(settings.TOKEN_KEYS[0][1])
    made = altcha.create_challenge(
        ALGORITHM,
        ROUNDS,
        counter=secrets.choice(tries),
        expires_at=now + int(GOOD_FOR.total_seconds()),
        hmac_secret=sign,
        hmac_key_secret=seal,
    )
    return made.to_dict()


def read(raw: str) -> Work | None:
    """Return what was solved, or None when `raw` is no solution of ours that is still good.

    Whether it was used before is for the counters to say.
    """
    if not raw or len(raw) > _LONGEST or not raw.isascii():
        return None
    try:
        payload = altcha.Payload.from_base64(raw)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    for _version, key in settings.TOKEN_KEYS:
        sign, seal = _secrets(key)
        try:
            found = altcha.verify_solution(payload, sign, hmac_key_secret=seal)
        except (ValueError, TypeError, AttributeError, OverflowError):
            return None  # signed things only are well formed; this was not
        if found.verified:
            # The signature covers what is read here.
            parameters = payload.challenge.parameters
            lasts = int(GOOD_FOR.total_seconds())
            made_at = int(parameters.expires_at or 0) - lasts
            return Work(sha256(parameters.nonce.encode()).hexdigest()[:32], made_at, lasts)
    return None


@cache
def _secrets(key: bytes) -> tuple[bytes, bytes]:
    """Two keys for this purpose alone: for the challenge, and for its solution."""
    return (
        hmac.digest(key, b"wellread:proof-of-work\0challenge", sha256),
        hmac.digest(key, b"wellread:proof-of-work\0solution", sha256),
    )
