"""How many messages make a chunk: what this worker's way out carries in half a second.

So a chunk is bounded in time and not in number, and an unsubscribe or a pause takes effect
within it (invariant 4).
"""

CHUNK_SECONDS = 0.5
# When the relay turns slow in the middle of a chunk, the rest of it goes back after this long.
LONGEST_CHUNK_SECONDS = 1.0
FIRST = 10
MOST = 500
_WEIGHT = 0.5

# Messages a second, measured by this process, by transport.
_rates: dict[str, float] = {}


def chunk_size(transport: str) -> int:
    rate = _rates.get(transport)
    if rate is None:
        return FIRST
    return max(1, min(MOST, int(rate * CHUNK_SECONDS)))


def measured(transport: str, *, messages: int, seconds: float) -> None:
    """Remember how fast a chunk went; an old measurement counts half."""
    if not messages:
        return
    rate = messages / max(seconds, 1e-4)
    known = _rates.get(transport)
    _rates[transport] = rate if known is None else known + _WEIGHT * (rate - known)


def forget() -> None:
    _rates.clear()
