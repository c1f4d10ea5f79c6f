"""The law for every storm: what we say became of a message, against the relay's own book."""

from collections import Counter
from collections.abc import Mapping, Sequence

from newsletter.transports.values import Envelope, Outcome, Receipt
from tests.transports.pretended_relay import Book


def judge(
    sent: Sequence[Envelope], receipts: Mapping[int, Receipt], book: Book, *, drops: int
) -> None:
    """No false accepted, no false refused, none lost, none doubled, one unknown a drop at most."""
    assert receipts.keys() == set(range(len(sent))), "each message has exactly one answer"
    assert not book.offences
    taken = Counter(book.committed)
    assert set(taken) <= {(one.recipient, one.content) for one in sent}, "octet for octet"
    for key, envelope in enumerate(sent):
        times = taken[(envelope.recipient, envelope.content)]
        match receipts[key].outcome:
            case Outcome.ACCEPTED:
                assert times == 1, receipts[key]
            case Outcome.UNKNOWN:
                assert times <= 1, receipts[key]
            case _:
                assert times == 0, receipts[key]
    unknown = [one for one in receipts.values() if one.outcome is Outcome.UNKNOWN]
    assert len(unknown) <= drops
