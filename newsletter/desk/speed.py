"""How fast a mailing goes, as those who look at its page see it go.

The average since the beginning would be wrong for an hour after a pause. So each look at the page
leaves a sample in the cache, and the rate is that of the last minute.
"""

import time

import redis
from django.core.cache import cache
from django.utils import timezone

from newsletter.sending.models import Mailing

WINDOW_SECONDS = 60.0
# Closer samples say nothing; further ones would not fit one look every two seconds.
_SHORTEST_SECONDS = 3.0

# Seconds since the epoch, and how many readers had an outcome then.
Sample = tuple[float, int]


def rate_of(mailing: Mailing, handled: int) -> float | None:
    """Return messages a second, or None when nothing can be said yet.

    For an ended mailing it is the average over its whole run.
    """
    if mailing.started_at is None or not handled:
        return None
    if mailing.ended_at is not None:
        return handled / max((mailing.ended_at - mailing.started_at).total_seconds(), 1.0)
    if mailing.state != Mailing.State.SENDING:
        _forget(mailing)
        return None
    since, before = _sample(mailing, handled)
    if time.time() - since >= _SHORTEST_SECONDS:
        return (handled - before) / (time.time() - since)
    # The first look: until there is a second one, the average is the best that can be said.
    elapsed = (timezone.now() - mailing.started_at).total_seconds()
    return handled / elapsed if elapsed >= _SHORTEST_SECONDS else None


def _sample(mailing: Mailing, handled: int) -> Sample:
    """Note where it is now, and return the oldest sample of the last minute."""
    now = time.time()
    key = _key(mailing)
    try:
        samples: list[Sample] = [
            (at, count) for at, count in cache.get(key, []) if now - at <= WINDOW_SECONDS
        ]
        if not samples or now - samples[-1][0] >= 1.0:
            samples.append((now, handled))
            cache.set(key, samples, timeout=2 * WINDOW_SECONDS)
    except redis.RedisError:
        # Without the cache the page shows the average; the mailing goes on regardless.
        return (now, handled)
    return samples[0]


def _forget(mailing: Mailing) -> None:
    """A pause ends what was measured: the time it takes is not the workers' slowness."""
    try:
        cache.delete(_key(mailing))
    except redis.RedisError:
        return


def _key(mailing: Mailing) -> str:
    return f"mailing-speed-{mailing.pk}"
