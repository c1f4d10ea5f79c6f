"""Redis, for what workers have to know of each other at once and what may be lost."""

from functools import cache

import redis
from django.conf import settings


@cache
def client() -> redis.Redis:
    """This process' own. Each call gives up after a second: nobody waits for a brake."""
    url = settings.REDIS_URL.replace("redis+socket://", "unix://")
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
