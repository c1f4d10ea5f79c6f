"""How fast each recipient domain may be mailed: what staff set, and what the domain asked for.

A domain that answers 421 or 4.7.x is slowed, and only it: to half of what it was getting, then by
a quarter faster each minute until it is back at twice that, when it is forgotten. Staff may set a
limit for a domain for good (DomainLimit). A worker asks once a chunk, for those domains alone; for
all others nothing is counted.

What is known stands in Redis, by its clock. When Redis cannot be reached, each process goes by
what it has seen itself, and keeps to its share of a limit: one of the machine's cores.
"""

import logging
import math
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import redis

from newsletter.sending.broker import client
from newsletter.sending.clock import steady
from newsletter.sending.models import DomainLimit
from newsletter.sending.throttle import Grant
from newsletter.transports.values import Outcome, Receipt

log = logging.getLogger(__name__)

# Messages a second below which no domain is slowed.
LEAST = 0.2
RECOVERY_A_MINUTE = 1.25
# Answers to what was on its way when a domain was slowed say nothing about the new rate.
SETTLES_SECONDS = 5.0
# What a domain that had nothing for a while may get at once, in seconds of its rate.
BURST_SECONDS = 4.0
# How long a process goes by the limits that it has read.
LIMITS_LAST = 10.0

_SLOWED = "wellread:slowed"
_TOKENS = "wellread:slowed:tokens"

# What both scripts know: the rate that a slowed domain has got back to, nil if it is not slowed.
_RATE = """
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local function slowed(domain)
  local found = redis.call('HGET', KEYS[1], domain)
  if not found then return nil end
  local entry = cjson.decode(found)
  entry.now = entry.rate * ARGV[1] ^ ((now - entry.at) / 60)
  if entry.now < entry.top then return entry end
  redis.call('HDEL', KEYS[1], domain)
  return nil
end
"""
# ARGV: recovery, burst seconds, then domain, wanted and limit of each.
# Returns what each is granted, seconds to wait where that is nothing, and who is slowed.
_PASS = f"""{_RATE}
local granted, waits = {{}}, {{}}
for i = 3, #ARGV, 3 do
  local domain, wanted, rate = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local entry = slowed(domain)
  if entry and (rate <= 0 or entry.now < rate) then rate = entry.now end
  local n, wait = wanted, 0
  if rate > 0 then
    local capacity = math.max(1, rate * ARGV[2])
    local tokens, at = capacity, now
    local kept = redis.call('HGET', KEYS[2], domain)
    if kept then
      local values = cjson.decode(kept)
      tokens, at = values[1], values[2]
    elseif entry then
      tokens = 1
    end
    tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
    n = math.min(wanted, math.floor(tokens))
    tokens = tokens - n
    if n == 0 then wait = (1 - tokens) / rate end
    redis.call('HSET', KEYS[2], domain, cjson.encode({{tokens, now}}))
  end
  granted[#granted + 1], waits[#waits + 1] = n, tostring(wait)
end
redis.call('EXPIRE', KEYS[2], 3600)
return {{granted, waits, redis.call('HKEYS', KEYS[1])}}
"""
# ARGV: recovery, domain, what it was getting, least, seconds to settle. Returns the rate, or ''.
_SLOW = f"""{_RATE}
local domain, got, least = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entry = slowed(domain)
if entry then
  if now - entry.at < tonumber(ARGV[5]) then return '' end
  got = entry.now
else
  entry = {{top = math.max(2 * got, 2 * least)}}
end
local rate = math.max(least, got / 2)
redis.call('HSET', KEYS[1], domain, cjson.encode({{rate = rate, top = entry.top, at = now}}))
redis.call('HSET', KEYS[2], domain, cjson.encode({{0, now}}))
redis.call('EXPIRE', KEYS[1], 86400)
return tostring(rate)
"""
# ARGV: recovery. Returns domain and rate of each.
_LIST = f"""{_RATE}
local found = {{}}
for _, domain in ipairs(redis.call('HKEYS', KEYS[1])) do
  local entry = slowed(domain)
  if entry then found[#found + 1] = domain; found[#found + 1] = tostring(entry.now) end
end
return found
"""


class _Entry(NamedTuple):
    """This process' own memory of a slowed domain."""

    rate: float
    top: float
    at: float


class _Memory:
    def __init__(self) -> None:
        self.limits: dict[str, float] = {}
        self.limits_read = -LIMITS_LAST
        # Whom Redis called slowed when it was last asked.
        self.slowed: frozenset[str] = frozenset()
        self.own: dict[str, _Entry] = {}
        self.tokens: dict[str, tuple[float, float]] = {}


_memory = _Memory()


def forget() -> None:
    """Drop what this process remembers; what stands in Redis stays."""
    _memory.__init__()  # type: ignore[misc]


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def limits() -> Mapping[str, float]:
    """Return what staff set: messages a second, by domain. Read from the database now and then."""
    if steady() - _memory.limits_read >= LIMITS_LAST:
        _memory.limits = dict(DomainLimit.objects.values_list("domain", "per_second"))
        _memory.limits_read = steady()
    return _memory.limits


def braked() -> frozenset[str]:
    """Return the domains that are limited or slowed, as this process last heard."""
    return _memory.slowed.union(limits(), _memory.own)


def asks_for_patience(receipt: Receipt) -> bool:
    """True for an answer by which a domain wants less mail at a time."""
    if receipt.outcome is not Outcome.TEMPORARY or receipt.about_the_line:
        return False
    return receipt.code == 421 or receipt.enhanced.startswith("4.7.")


def take(wanted: Mapping[str, int]) -> dict[str, Grant]:
    """Take up to so many messages' worth for each domain. One call of Redis. Never raises for it.

    Also hears who is slowed, so it is worth asking with nothing wanted.
    """
    known = limits()
    arguments: list[str | float] = [
        value for domain, n in wanted.items() for value in (domain, n, known.get(domain, 0.0))
    ]
    try:
        granted, waits, slowed = client().register_script(_PASS)(
            [_SLOWED, _TOKENS], [RECOVERY_A_MINUTE, BURST_SECONDS, *arguments]
        )
    except redis.RedisError as error:
        log.warning("The brakes cannot reach Redis and go by what this process knows: %s", error)
        return {domain: _take_own(domain, n) for domain, n in wanted.items()}
    _memory.slowed = frozenset(name.decode() for name in slowed)
    return {
        domain: Grant(int(n), float(wait))
        for domain, n, wait in zip(wanted, granted, waits, strict=True)
    }


def slow_down(domain: str, *, getting: float) -> None:
    """Halve what `domain` gets; `getting` is messages a second just now, if it was not slowed."""
    getting = max(getting, LEAST)
    _slow_own(domain, getting)
    try:
        rate = client().eval(
            _SLOW, 2, _SLOWED, _TOKENS, RECOVERY_A_MINUTE, domain, getting, LEAST, SETTLES_SECONDS
        )
    except redis.RedisError as error:
        log.warning("%s asks for less mail at a time; Redis cannot be told: %s", domain, error)
        return
    _memory.slowed |= {domain}
    if rate:
        log.warning("%s asks for less mail at a time: %.2g a second", domain, float(rate))


def slowed_domains() -> dict[str, float]:
    """Return the slowed domains with their rates just now. Raises RedisError."""
    found = client().eval(_LIST, 1, _SLOWED, RECOVERY_A_MINUTE)
    return {name.decode(): float(rate) for name, rate in zip(found[::2], found[1::2], strict=True)}


def counted(addresses: Iterable[str]) -> dict[str, int]:
    """Return how many of these addresses are at each domain that is braked."""
    known = braked()
    found: dict[str, int] = {}
    if known:
        for address in addresses:
            domain = domain_of(address)
            if domain in known:
                found[domain] = found.get(domain, 0) + 1
    return found


# --- Without Redis -----------------------------------------------------------------------------


def _recovered(since: float) -> float:
    return math.pow(RECOVERY_A_MINUTE, (steady() - since) / 60)


def _own_rate(domain: str) -> float:
    """Return messages a second, 0 for any number."""
    limit = limits().get(domain, 0.0) / (os.cpu_count() or 1)
    entry = _memory.own.get(domain)
    if entry is None:
        return limit
    now = entry.rate * _recovered(entry.at)
    if now >= entry.top:
        del _memory.own[domain]
        return limit
    return min(limit, now) if limit else now


def _take_own(domain: str, wanted: int) -> Grant:
    rate = _own_rate(domain)
    if not rate:
        return Grant(wanted, 0.0)
    now, capacity = steady(), max(1.0, rate * BURST_SECONDS)
    tokens, at = _memory.tokens.get(domain, (min(1.0, capacity), now))
    tokens = min(capacity, tokens + (now - at) * rate)
    granted = min(wanted, int(tokens))
    tokens -= granted
    _memory.tokens[domain] = (tokens, now)
    return Grant(granted, 0.0 if granted else (1 - tokens) / rate)


def _slow_own(domain: str, getting: float) -> None:
    _own_rate(domain)  # forgets one that has recovered
    entry = _memory.own.get(domain)
    if entry is not None:
        if steady() - entry.at < SETTLES_SECONDS:
            return
        getting = entry.rate * _recovered(entry.at)
    top = entry.top if entry is not None else 2 * getting
    _memory.own[domain] = _Entry(max(LEAST, getting / 2), top, steady())
    _memory.tokens[domain] = (0.0, steady())
