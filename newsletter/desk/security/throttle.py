"""How often somebody may try: by account from one network, by account, and by network.

Counted before a password is looked at, so that a hundred tries at once count as a hundred. The
counters stand in the cache (Redis). When that is down each process counts for itself: staff can
still sign in and stop a mailing, and guessing stays slow.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from redis.exceptions import RedisError

from signup.guard import network_of

log = logging.getLogger(__name__)
_own = LocMemCache("desk.security.throttle", {})


@dataclass(frozen=True, slots=True)
class Limit:
    most: int
    within: timedelta


FROM_HERE = Limit(8, timedelta(minutes=15))
# Wide, because whoever knows a name could otherwise keep its owner out.
ACCOUNT = Limit(50, timedelta(hours=1))
NETWORK = Limit(100, timedelta(hours=1))


def try_once(request: HttpRequest, *, what: str, account: str) -> bool:
    """Count one try at `what` (log-in, second factor, …); False when there were too many."""
    network = network_of(request.META) or ""
    account = account.strip().casefold()[:254]
    limits = [(f"{what}:here:{account}:{network}", FROM_HERE), (f"{what}:who:{account}", ACCOUNT)]
    if network:
        limits.append((f"{what}:net:{network}", NETWORK))
    # All of them, not the first that is full: each try counts everywhere.
    return all([_count(name, limit) <= limit.most for name, limit in limits])


def succeeded(request: HttpRequest, *, what: str, account: str) -> None:
    """Forget the tries of this account from here: it was its owner."""
    network = network_of(request.META) or ""
    key = _key(f"{what}:here:{account.strip().casefold()[:254]}:{network}", FROM_HERE)
    for store in (cache, _own):
        try:
            store.delete(key)
        except (RedisError, OSError) as error:
            log.warning("The tries at signing in are not forgotten: %s", error)


def _count(name: str, limit: Limit) -> int:
    key = _key(name, limit)
    try:
        return _count_in(cache, key, limit)
    except (RedisError, OSError) as error:
        log.warning("Tries at signing in are counted by each process for itself: %s", error)
        return _count_in(_own, key, limit)


def _count_in(store: BaseCache, key: str, limit: Limit) -> int:
    store.add(key, 0, timeout=int(limit.within.total_seconds()))
    try:
        return int(store.incr(key))
    except ValueError:
        return 1  # it ran out between the two lines: a new window has begun


def _key(name: str, limit: Limit) -> str:
    """Hashed: the cache holds no account name and no network."""
    window = int(datetime.now(UTC).timestamp() // limit.within.total_seconds())
    return "desk:tries:" + sha256(f"{name}:{window}".encode()).hexdigest()[:40]
