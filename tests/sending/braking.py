"""Time for the brakes, which go by Redis' clock."""

import json

from newsletter.sending import brakes


def let_pass(seconds: float) -> None:
    """As if so many seconds had passed since domains were slowed and got what they got."""
    client = brakes.client()
    for domain, found in client.hgetall(brakes._SLOWED).items():
        entry = json.loads(found)
        entry["at"] -= seconds
        client.hset(brakes._SLOWED, domain, json.dumps(entry))
    for domain, found in client.hgetall(brakes._TOKENS).items():
        tokens, at = json.loads(found)
        client.hset(brakes._TOKENS, domain, json.dumps([tokens, at - seconds]))
