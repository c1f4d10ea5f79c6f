"""One number: messages a second, over all workers (SENDING_RATE), and one more for a relay
that has a rate of its own (`relay_limits`).

A token bucket in Redis for each. Its clock is Redis' own. A bucket that is gone, because
Redis was flushed, starts again with one chunk's worth. When Redis cannot be reached, every worker
process keeps to its share of the rate on its own, so that sending neither stops nor runs away.
"""

import logging
import os
from typing import NamedTuple

import redis
from django.conf import settings

from newsletter.sending.broker import client
from newsletter.sending.clock import steady
from newsletter.sending.pace import CHUNK_SECONDS

log = logging.getLogger(__name__)

_PREFIX = "wellread:bucket:"
# KEYS[1] bucket; ARGV: rate a second, capacity, wanted. Returns {granted, milliseconds to wait}.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local rate, capacity, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]), tonumber(bucket[2])
if tokens == nil or at == nil then tokens, at = capacity, now end
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
redis.call('EXPIRE', KEYS[1], 60 + math.ceil(capacity / rate))
local wait = 0
if granted == 0 then wait = math.ceil((1 - tokens) / rate * 1000) end
return {granted, wait}
"""


class Grant(NamedTuple):
    """How many messages may go now; if none, how many seconds until one may."""

    messages: int
    wait: float


class _Own(NamedTuple):
    tokens: float
    at: float


_own: dict[str, _Own] = {}


def take(transport: str, wanted: int, rate: float | None = None) -> Grant:
    """Take up to `wanted` messages' worth out of the bucket of `transport`. Never raises.

    `rate`: messages a second; SENDING_RATE if none is given, 0 for any number.
    """
    if rate is None:
        rate = settings.SENDING_RATE
    if rate <= 0:
        return Grant(wanted, 0.0)
    capacity = max(1.0, rate * CHUNK_SECONDS)
    try:
        granted, wait = client().eval(_TAKE, 1, _PREFIX + transport, rate, capacity, wanted)
    except redis.RedisError as error:
        log.warning("The throttle cannot reach Redis and goes by its own clock: %s", error)
        return _take_own(transport, wanted, rate / (os.cpu_count() or 1))
    return Grant(int(granted), int(wait) / 1000)


def give_back(transport: str, messages: int, rate: float | None = None) -> None:
    """Put back what was taken and not used: the batch was at its end, or readers were skipped.

    Never raises; without Redis it is forgotten, which only makes sending a little slower.
    """
    if messages <= 0 or (settings.SENDING_RATE if rate is None else rate) <= 0:
        return
    try:
        # No more than the bucket holds: the next take sees to that.
        client().hincrbyfloat(_PREFIX + transport, "tokens", messages)
    except redis.RedisError as error:
        log.warning("The throttle cannot reach Redis: %s", error)


def _take_own(transport: str, wanted: int, rate: float) -> Grant:
    capacity = max(1.0, rate * CHUNK_SECONDS)
    now = steady()
    tokens, at = _own.get(transport, _Own(capacity, now))
    tokens = min(capacity, tokens + (now - at) * rate)
    granted = min(wanted, int(tokens))
    tokens -= granted
    _own[transport] = _Own(tokens, now)
    return Grant(granted, 0.0 if granted else (1 - tokens) / rate)
