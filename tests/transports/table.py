"""A conversation and a pretended relay at one table, without a socket or a clock."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.conversation import Conversation
from newsletter.transports.smtp.envelope import Offer
from newsletter.transports.values import Envelope, Receipt
from tests.transports.judging import judge
from tests.transports.messages import envelope
from tests.transports.pretended_relay import Book, Fault, PretendedRelay, Script

OFFER = Offer(pipelining=True, size=True, limit=1_000_000, eight_bit=True, smtputf8=True)
LOCKSTEP = OFFER._replace(pipelining=False)
READERS = ["ada@example.org", "bo@example.org", "cy@example.org"]

Split = Callable[[bytes], Iterator[bytes]]


def whole(octets: bytes) -> Iterator[bytes]:
    yield octets


def one_by_one(octets: bytes) -> Iterator[bytes]:
    return (octets[at : at + 1] for at in range(len(octets)))


class Table:
    """Plays the driver's part: one conversation after the other until each message is answered."""

    def __init__(
        self,
        relay: Callable[[], PretendedRelay],
        *,
        offer: Offer = OFFER,
        split: Split = whole,
        # The line goes down after so many octets in either direction, counted over all lines.
        hears: int | None = None,
        says: int | None = None,
    ) -> None:
        self.new_relay = relay
        self.offer, self.split = offer, split
        self.hears, self.says = hears, says
        self.receipts: dict[int, Receipt] = {}
        self.connections = self.drops = self.octets_heard = self.octets_said = 0

    def send(self, envelopes: Sequence[Envelope]) -> dict[int, Receipt]:
        self.waiting = deque(Outgoing(key, one) for key, one in enumerate(envelopes))
        while self.waiting:
            assert self.connections < 200, "no progress"
            self._one_connection()
        return self.receipts

    def _one_connection(self) -> None:
        self.connections += 1
        relay, talk = self.new_relay(), Conversation(self.offer)
        while not talk.over:
            while talk.has_room and self.waiting:
                one = self.waiting.popleft()
                refused = talk.take(one)
                if refused:
                    self._note(one, refused)
            if not talk.has_output:
                if talk.is_idle:
                    return
                self._lost(talk)
                continue
            written = talk.output()
            talk.wrote(len(written))
            heard = self._limited(written, "hears")
            self.octets_heard += len(heard)
            said = relay.hear(heard)
            answer = self._limited(said, "says")
            self.octets_said += len(answer)
            for part in self.split(answer):
                self._settle(talk.received(part))
            if relay.closed or len(heard) < len(written) or len(answer) < len(said):
                self._lost(talk)

    def _limited(self, octets: bytes, which: str) -> bytes:
        left = getattr(self, which)
        if left is None or left >= len(octets):
            if left is not None:
                setattr(self, which, left - len(octets))
            return octets
        setattr(self, which, None)
        return octets[:left]

    def _lost(self, talk: Conversation) -> None:
        self.drops += 1
        self._settle(talk.lost("the relay closed the connection"))
        assert talk.over

    def _settle(self, settled) -> None:
        for outgoing, receipt, unsent in settled:
            if unsent and self.connections < 100:
                self.waiting.appendleft(outgoing)
            else:
                self._note(outgoing, receipt)

    def _note(self, outgoing: Outgoing, receipt: Receipt) -> None:
        assert outgoing.key not in self.receipts, "answered twice"
        self.receipts[outgoing.key] = receipt


def saying(step: str, reply: bytes | Fault, reader: str = "", times: int = 1) -> Script:
    left = [times]

    def script(at: str, text: str) -> bytes | Fault | None:
        if at == step and reader in text and left[0]:
            left[0] -= 1
            return reply
        return None

    return script


def run(
    script: Script = lambda step, text: None,
    *,
    readers: Sequence[str] = READERS,
    eager: bool = False,
    **how,
) -> tuple[list[Receipt], Book, Table]:
    """Send to each reader and hold every outcome against the relay's book."""
    book = Book()
    pipelining = how.get("offer", OFFER).pipelining
    sent = [envelope(reader, b".dots.\r\n..\r\n.\r\nend\r\n") for reader in readers]
    table = Table(lambda: PretendedRelay(book, script, pipelining, eager), **how)
    receipts = table.send(sent)
    judge(sent, receipts, book, drops=table.drops)
    return [receipts[key] for key in range(len(sent))], book, table


def outcomes(receipts: Sequence[Receipt]) -> list[str]:
    return [receipt.outcome.value for receipt in receipts]


def write(talk: Conversation) -> bytes:
    """Let out what is there."""
    written = talk.output()
    talk.wrote(len(written))
    return written


def begun(*readers: str, offer: Offer = OFFER) -> Conversation:
    talk = Conversation(offer)
    for key, reader in enumerate(readers):
        assert talk.take(Outgoing(key, envelope(reader))) is None
    return talk
