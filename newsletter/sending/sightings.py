"""What workers said of themselves last: in Redis, where it may be lost and is never acted on.

A worker tells how its relays and its journal are after each task, and Celery's heartbeat that it
is there at all. Staff see it, and `alarms` looks at it; sending itself goes by rows alone.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from django.utils import timezone

from newsletter.sending.broker import client
from newsletter.transports.protocol import WayState
from newsletter.transports.values import without_addresses

log = logging.getLogger(__name__)

_KEY = "wellread:workers"
# Who has not been heard of for so long is forgotten, and whose word counts for the present.
FORGET_SECONDS = 900.0
FRESH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One worker process, or one Celery node, as it was `at`."""

    name: str
    at: datetime
    ways: Sequence[WayState] = ()
    # Why no journal is kept; "" when it is, or nothing was sent yet.
    journal: str = ""

    @property
    def is_node(self) -> bool:
        """Named as Celery names its workers: bulk@host."""
        return "@" in self.name

    @property
    def is_fresh(self) -> bool:
        return (timezone.now() - self.at).total_seconds() < FRESH_SECONDS


def tell(name: str, ways: Sequence[WayState] = (), journal: str = "") -> None:
    """Note how this worker is. Never raises: nothing depends on it."""
    now = timezone.now().timestamp()
    said = {
        "at": now,
        "ways": [way._replace(trouble=without_addresses(way.trouble)) for way in ways],
        "journal": journal,
    }
    try:
        client().hset(_KEY, name, json.dumps(said))
        client().expire(_KEY, int(FORGET_SECONDS))
    except redis.RedisError as error:
        log.info("Nobody can be told how this worker is: %s", error)


def sightings() -> list[Sighting]:
    """Return who was heard of in the last quarter of an hour, by name. Raises RedisError."""
    found = []
    for name, said in client().hgetall(_KEY).items():
        values = json.loads(said)
        at = datetime.fromtimestamp(values["at"], UTC)
        if (timezone.now() - at).total_seconds() > FORGET_SECONDS:
            client().hdel(_KEY, name)
            continue
        ways = [WayState(*way) for way in values["ways"]]
        found.append(Sighting(_text(name), at, ways, values["journal"]))
    return sorted(found, key=lambda one: one.name)


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def ways_up(seen: Sequence[Sighting]) -> set[str]:
    """Return the relays that somebody who was heard of lately reaches."""
    lately = [way for one in seen if one.is_fresh for way in one.ways]
    return {way.where for way in lately if way.lines or not way.trouble}


def ways_down(seen: Sequence[Sighting]) -> dict[str, str]:
    """Return the relays that nobody who was heard of lately has a line to, with the reason."""
    lately = [way for one in seen if one.is_fresh for way in one.ways]
    up = ways_up(seen)
    return {way.where: way.trouble for way in lately if way.where not in up}
