"""Mail that stays in this process: for tests."""

from collections.abc import Callable, Iterable, Iterator

from newsletter.transports.values import Envelope, Outcome, Receipt

OK = Receipt(Outcome.ACCEPTED, 250, "2.0.0", "kept in memory")

# Everything "sent" since the last clear(), by every MemoryTransport of this process.
outbox: list[Envelope] = []


class MemoryTransport:
    """Keeps envelopes in `outbox`. `answer` decides what the pretended relay says to each."""

    name = "memory"
    allowed_for_health = True

    def __init__(self, answer: Callable[[Envelope], Receipt] = lambda _: OK) -> None:
        self._answer = answer

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[Receipt]:
        for envelope in envelopes:
            receipt = self._answer(envelope)
            if receipt.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
                outbox.append(envelope)
            yield receipt
