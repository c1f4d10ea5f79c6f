"""The law for every storm: what we say became of a message, against the relay's own book."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope, Outcome, Receipt
from tests.transports.fault_server import FaultServer
from tests.transports.messages import envelope
from tests.transports.pretended_relay import Book


def judge(
    sent: Sequence[Envelope], receipts: Mapping[int, Receipt], book: Book, *, drops: int
) -> None:
    """No false accepted, no false refused, none lost, none doubled, one unknown a drop at most."""
    assert receipts.keys() == set(range(len(sent))), "each message has exactly one answer"
    assert not book.offences
    taken = Counter(book.committed)
    assert set(taken) <= {(one.recipient, one.content) for one in sent}, "octet for octet"
    for key, one in enumerate(sent):
        times = taken[(one.recipient, one.content)]
        match receipts[key].outcome:
            case Outcome.ACCEPTED:
                assert times == 1, receipts[key]
            case Outcome.UNKNOWN:
                assert times <= 1, receipts[key]
            case _:
                assert times == 0, receipts[key]
    unknown = [one for one in receipts.values() if one.outcome is Outcome.UNKNOWN]
    assert len(unknown) <= drops


def takes_every_message_over_eight(transport: SmtpTransport, server: FaultServer) -> None:
    """Send until eight lines are open; how soon the last one is, is the machine's to say."""
    sent: list[Envelope] = []
    body = (b"x" * 70 + b"\r\n") * 400

    def outgoing() -> Iterator[Outgoing]:
        until = time.monotonic() + 60
        while len(sent) < 200 or (server.most_open < 8 and time.monotonic() < until):
            sent.append(envelope(f"reader-{len(sent)}@example.org", body))
            yield Outgoing(len(sent) - 1, sent[-1])

    receipts = dict(transport.send(outgoing()))
    transport.close()

    judge(sent, receipts, server.book, drops=0)
    assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}
    assert server.most_open == 8
