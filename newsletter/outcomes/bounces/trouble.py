"""What staff have to know of the bounce mailbox: in Redis, where it may be lost.

Written before the mailbox is read and taken away after it: so whoever is killed while waiting for
it leaves word too. `sending.alarms` turns what is said here into an alarm, and into its end.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone

from newsletter.sending.alarms import Kind, Trouble
from newsletter.sending.broker import client

log = logging.getLogger(__name__)

_FAILING = "wellread:bounce-mailbox:failing"
_NAMELESS = "wellread:bounce-mailbox:nameless"
# A mail server that starts anew is nobody's alarm.
PATIENCE_SECONDS = 300.0
# That nobody tries any more is no all-clear; a word about a mailbox of long ago goes some day.
FORGET_SECONDS = 7 * 86_400
NAMELESS_SECONDS = 86_400

_UNENDING = "Reading it does not come to an end."
_NO_NAME = (
    "Mails in it cannot be told apart: no line of the mail server says to which address they came "
    "(docs/outcomes.md, The mailbox)."
)


def begin(where: str) -> None:
    """Say that it is being read. What was wrong before stands until `over`."""
    kept = _get(_FAILING)
    if kept is None:
        _set(_FAILING, where, since=timezone.now().timestamp(), text=_UNENDING)
    else:
        _set(_FAILING, where, since=kept["since"], text=kept["text"])


def note(where: str, text: str) -> None:
    """Say why it could not be read; since when is known from the first time."""
    kept = _get(_FAILING)
    since = kept["since"] if kept else timezone.now().timestamp()
    _set(_FAILING, where, since=since, text=text)


def over(where: str, *, named: bool) -> None:
    """Say that it was read. `named`: and that its server says to whom mails came."""
    _forget(_FAILING)
    if named:
        _forget(_NAMELESS)


def nameless(where: str) -> None:
    """Say that a mail lay in it of which nobody knows to which address it came."""
    _set(_NAMELESS, where, since=0.0, text=_NO_NAME, seconds=NAMELESS_SECONDS)


def troubles() -> Iterator[Trouble]:
    """Yield what staff have to know of now. Raises RedisError."""
    if not settings.BOUNCE_MAILBOX:
        return
    now = timezone.now().timestamp()
    for key in (_FAILING, _NAMELESS):
        kept = client().get(key)
        if kept is not None:
            said = json.loads(kept)
            if now - said["since"] >= PATIENCE_SECONDS:
                yield Trouble(Kind.MAILBOX, said["where"], said["text"])
                return


def _get(key: str) -> "dict[str, Any] | None":
    try:
        kept = client().get(key)
    except redis.RedisError:
        return None
    return json.loads(kept) if kept else None


def _set(key: str, where: str, *, since: float, text: str, seconds: int = FORGET_SECONDS) -> None:
    said = json.dumps({"where": where, "since": since, "text": text})
    try:
        client().set(key, said, ex=seconds)
    except redis.RedisError as error:
        # Without Redis no task runs that could look at it either (docs/reliability.md).
        log.info("Nobody can be told how the bounce mailbox is: %s", error)


def _forget(key: str) -> None:
    try:
        client().delete(key)
    except redis.RedisError as error:
        log.info("Nobody can be told that the bounce mailbox is well: %s", error)
