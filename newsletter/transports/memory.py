"""Mail that stays in this process: for tests."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from newsletter.transports.protocol import Answered, Meter, Outgoing, WayState
from newsletter.transports.relay import Relay
from newsletter.transports.values import Envelope, Outcome, Receipt

# Seconds before the next look, when nothing is ready to go.
NAP = 0.002

OK = Receipt(Outcome.ACCEPTED, 250, "2.0.0", "kept in memory")

# Everything "sent" since the last clear(), by every MemoryTransport of this process.
outbox: list[Envelope] = []


class MemoryTransport:
    """Keeps envelopes in `outbox`. `answer` decides what the pretended relay says to each."""

    name = "memory"
    allowed_for_health = True
    lines = 1
    announces_content = False
    relays: Sequence[Relay] = ()

    def __init__(self, answer: Callable[[Envelope], Receipt] = lambda _: OK) -> None:
        self._answer = answer

    def states(self) -> list[WayState]:
        return [WayState("memory", lines=1)]

    def limit(self, meter: Meter | None) -> None:
        pass

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        for one in outgoing:
            if one is None:
                time.sleep(NAP)
                continue
            receipt = self._answer(one.envelope)
            if receipt.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
                outbox.append(one.envelope)
            yield Answered(one.key, receipt)
