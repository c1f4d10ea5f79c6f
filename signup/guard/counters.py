"""Counting one attempt in Redis: everything in one script, so one round trip and no races.

Windows are fixed: a counter's name holds the number of its window, and it is forgotten with it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from signup.guard.limits import Limit

log = logging.getLogger(__name__)

_PREFIX = "wellread:signup:"
MINUTE, TEN_MINUTES = 60, 600
# After Redis did not answer, nobody else waits for it for so long.
LEFT_ALONE = 5.0
# Since when Redis can be trusted to know which challenges were used. Kept far longer than any
# challenge is good for.
_REMEMBERS_SINCE, _REMEMBERED = _PREFIX + "proofs-since", 86_400
_ATTACK = _PREFIX + "attack"

# KEYS: remembers-since, used challenge, attack, told, all, suspicious; then one for each limit.
# ARGV: now, when the challenge was made ('' without), how long to remember it, for how much this
# attempt is suspicious by itself, most in a minute, most suspicious in ten, how long attack mode
# lasts; then five for each limit: weight, seconds, most, most under attack, only unproved.
# Returns {proved, number of the limit that is full, attack (2: to be told), all, suspicious}.
_COUNT = """
local function add(key, by, seconds)
  local value = redis.call('INCRBY', key, by)
  if value == tonumber(by) then redis.call('EXPIRE', key, seconds) end
  return value
end
local proved = 0
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[1], 'NX')
  redis.call('EXPIRE', KEYS[1], 86400)
  local since = tonumber(redis.call('GET', KEYS[1]))
  if tonumber(ARGV[2]) >= since and redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[3]) then
    proved = 1
  end
end
local attack = redis.call('EXISTS', KEYS[3])
local full = 0
for i = 1, #KEYS - 6 do
  local at = 7 + (i - 1) * 5
  if proved == 0 or ARGV[at + 5] == '0' then
    local key, most = KEYS[6 + i], tonumber(ARGV[at + 3])
    -- An attack has its own counters, or those who came before it would have used it all up.
    if attack == 1 then key, most = key .. ':attack', tonumber(ARGV[at + 4]) end
    if add(key, ARGV[at + 1], ARGV[at + 2]) > most then full = i; break end
  end
end
local suspicion = tonumber(ARGV[4])
if full > 0 then suspicion = suspicion + 1 end
local all = add(KEYS[5], 1, 60)
local suspicious = tonumber(redis.call('GET', KEYS[6]) or '0')
if suspicion > 0 then
  suspicious = redis.call('INCRBY', KEYS[6], suspicion)
  if suspicious == suspicion then redis.call('EXPIRE', KEYS[6], 600) end
end
if all > tonumber(ARGV[5]) or suspicious > tonumber(ARGV[6]) then
  redis.call('SET', KEYS[3], 1, 'EX', ARGV[7])
  attack = 1
  if redis.call('SET', KEYS[4], 1, 'NX', 'EX', 60) then attack = 2 end
end
return {proved, full, attack, all, suspicious}
"""


@dataclass(frozen=True, slots=True)
class Count:
    """What Redis said. `full`: the kind of the first limit that is exceeded, or None."""

    proved: bool
    full: str | None
    under_attack: bool
    # True once a minute while attack mode is begun or kept up: the rows are to be told.
    to_be_told: bool
    sign_ups: int
    suspicious: int


@dataclass(frozen=True, slots=True)
class Work:
    """A challenge that was solved: its name, and until when and since when it is good."""

    name: str
    made_at: int
    good_for: int


def count(limits: Sequence[Limit], *, work: Work | None, suspicion: int) -> Count | None:
    """Count one attempt against `limits` up to the first that is full; None without Redis."""
    now = time.time()
    keys = [
        _REMEMBERS_SINCE,
        _PREFIX + f"used:{work.name if work else ''}",
        _ATTACK,
        _PREFIX + "attack-told",
        _PREFIX + f"all:{int(now // MINUTE)}",
        _PREFIX + f"suspicious:{int(now // TEN_MINUTES)}",
    ]
    values: list[Any] = [
        int(now),
        work.made_at if work else "",
        work.good_for if work else "",
        suspicion,
        settings.SIGN_UP_ALARM_PER_MINUTE,
        settings.SIGN_UP_ALARM_SUSPICIOUS,
        settings.SIGN_UP_ALARM_MINUTES * 60,
    ]
    for limit in limits:
        keys.append(f"{_PREFIX}{limit.key}:{int(now // limit.seconds)}")
        values += [
            limit.weight, limit.seconds, limit.most, limit.under_attack, int(limit.unproved),
        ]  # fmt: skip
    answer = _ask(lambda client: _script(client)(keys=keys, args=values))
    if answer is None:
        return None
    proved, full, attack, sign_ups, suspicious = map(int, answer)
    return Count(
        proved=bool(proved),
        full=limits[full - 1].kind if full else None,
        under_attack=attack > 0,
        to_be_told=attack == 2,
        sign_ups=sign_ups,
        suspicious=suspicious,
    )


def begin_to_remember(now: int) -> bool:
    """Note that challenges made from `now` on can be checked for use; say if there is an attack.

    Called when a challenge is made. After Redis lost its memory, what was handed out before
    proves nothing any more, since nobody knows whether it was used.
    """

    def asked(client: "redis.Redis") -> list[Any]:
        with client.pipeline(transaction=False) as line:
            line.set(_REMEMBERS_SINCE, now, nx=True, ex=_REMEMBERED)
            line.exists(_ATTACK)
            return list(line.execute())

    answer = _ask(asked)
    return bool(answer and answer[1])


class Pause:
    """Until when Redis is left alone in this process (time.monotonic)."""

    until = 0.0


def _ask(question: Callable[["redis.Redis"], Any]) -> Any:
    """Ask Redis; None when it does not answer, and for a while after that."""
    if time.monotonic() < Pause.until:
        return None
    try:
        return question(_client())
    except (redis.RedisError, OSError) as error:
        Pause.until = time.monotonic() + LEFT_ALONE
        log.warning("The sign-up limits are open, Redis does not answer: %s", error)
        return None


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL.replace("redis+socket://", "unix://"),
        socket_timeout=1.0,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
    )


@cache
def _script(client: "redis.Redis") -> Any:
    return client.register_script(_COUNT)
