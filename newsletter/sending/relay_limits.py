"""What a relay of its own rate, or with a warm-up plan of its own, may carry just now.

`rate` in EMAIL_URL is messages a second over all workers, kept as a token bucket in Redis
(`throttle`); a warm-up plan may name a relay (`warm_up`). A worker asks before each message, and
takes some at a time, so that Redis and the database are asked a few times a second. What it took
and did not use goes back.
"""

from collections.abc import Sequence

from newsletter.sending import throttle, warm_up
from newsletter.sending.clock import steady
from newsletter.transports.protocol import Transport
from newsletter.transports.relay import Relay

# How many seconds' worth is taken at a time, and how many messages of a day at most.
SLICE_SECONDS = 0.25
SLICE = 50
# Seconds until a day's cap that is used up is looked at again: another worker may give back.
LOOK_AGAIN = 30.0


class RelayMeter:
    """One run's. Not thread-safe: the thread that drives the lines asks."""

    def __init__(self, *, alert: bool) -> None:
        self._alert = alert
        self._left: dict[str, int] = {}
        self._ask_at: dict[str, float] = {}
        self._relays: dict[str, Relay] = {}

    def wait(self, relay: Relay) -> float:
        """Return 0 when one more message may go by it, else seconds until it may be asked again."""
        if self._left.get(relay.where):
            return 0.0
        wait = self._ask_at.get(relay.where, 0.0) - steady()
        return wait if wait > 0 else self._take(relay)

    def used(self, relay: Relay) -> None:
        self._left[relay.where] -= 1

    def close(self) -> None:
        """Give back what was not used."""
        for where, left in self._left.items():
            relay = self._relays[where]
            throttle.give_back(_bucket(relay), left, relay.rate)
            warm_up.give_back(left, relay=where)
        self._left.clear()

    def _take(self, relay: Relay) -> float:
        wanted = min(SLICE, max(1, int(relay.rate * SLICE_SECONDS))) if relay.rate else SLICE
        today = warm_up.take(wanted, alert=self._alert, relay=relay.where)
        if not today:
            return self._later(relay, LOOK_AGAIN)
        grant = throttle.take(_bucket(relay), today, relay.rate)
        warm_up.give_back(today - grant.messages, relay=relay.where)
        if not grant.messages:
            return self._later(relay, grant.wait)
        self._relays[relay.where] = relay
        self._left[relay.where] = grant.messages
        return 0.0

    def _later(self, relay: Relay, seconds: float) -> float:
        self._ask_at[relay.where] = steady() + seconds
        return seconds


def meter_for(transport: Transport, *, alert: bool) -> RelayMeter | None:
    """Return what keeps to the limits of this transport's relays; None where they have none."""
    relays = transport.relays
    if any(relay.rate for relay in relays) or warm_up.are_planned(names(relays)):
        return RelayMeter(alert=alert)
    return None


def names(relays: Sequence[Relay]) -> list[str]:
    return [relay.where for relay in relays]


def _bucket(relay: Relay) -> str:
    return f"relay:{relay.where}"
