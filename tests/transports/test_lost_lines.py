"""A line may end after any octet, and anything may come instead of a reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.envelope import Offer
from newsletter.transports.values import Outcome
from tests.transports.messages import envelope
from tests.transports.pretended_relay import Fault, Script
from tests.transports.table import (
    LOCKSTEP,
    OFFER,
    READERS,
    begun,
    outcomes,
    run,
    saying,
    write,
)


def _length(direction: str, offer: Offer, script: Script = lambda step, text: None) -> int:
    _, _, table = run(script, readers=READERS[:2], offer=offer)
    return table.octets_heard if direction == "hears" else table.octets_said


@pytest.mark.parametrize("offer", [OFFER, LOCKSTEP], ids=["pipelined", "lockstep"])
@pytest.mark.parametrize("direction", ["hears", "says"])
@pytest.mark.parametrize(
    "scripted",
    [None, ("RCPT", b"550 5.1.1 no"), ("FINAL", b"452 4.3.1 full"), ("DATA", b"451 4.3.0 no")],
    ids=["well", "refused", "full", "later"],
)
def test_a_line_may_end_after_any_octet_of_two_messages(direction, offer, scripted):
    def fresh() -> Script:
        return saying(*scripted) if scripted else lambda step, text: None

    octets = _length(direction, offer, fresh())
    unknown = set()
    for after in range(octets):
        receipts, _, table = run(fresh(), readers=READERS[:2], offer=offer, **{direction: after})
        unknown.add(outcomes(receipts).count("unknown"))
        # One that was lost, and one more for what could not go over it.
        assert 1 <= table.connections <= 3

    # It does happen, and never to two at once.
    assert unknown == {0, 1}


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.COMMIT_AND_DROP])
def test_a_line_that_is_lost_after_the_content_leaves_exactly_one_unknown(fault):
    receipts, book, _ = run(saying("FINAL", fault, READERS[1]))

    assert outcomes(receipts) == ["accepted", "unknown", "accepted"]
    assert (READERS[1] in book.recipients) is (fault is Fault.COMMIT_AND_DROP)


def test_content_whose_end_never_left_this_machine_cannot_have_been_taken():
    talk = begun("ada@example.org")
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    content = envelope("ada@example.org").content

    talk.output()
    talk.wrote(len(content))
    (settled,) = talk.lost("gone")

    assert (settled.receipt.outcome, settled.unsent) == (Outcome.TEMPORARY, True)


def test_from_the_first_octet_of_the_dot_on_nobody_can_know():
    talk = begun("ada@example.org")
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")

    talk.output()
    talk.wrote(len(envelope("ada@example.org").content) + 1)
    (settled,) = talk.lost("gone")

    assert (settled.receipt.outcome, settled.unsent) == (Outcome.UNKNOWN, False)


def test_a_refusal_before_the_end_of_the_content_counts_and_ends_the_line():
    """What is still to be written of it would be read as commands."""
    talk = begun("ada@example.org")
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.take(Outgoing(1, envelope("bo@example.org")))
    talk.output()
    talk.wrote(10)

    first, second = talk.received(b"552 5.3.4 too much\r\n")

    assert (first.receipt.outcome, first.unsent) == (Outcome.OURS, False)
    assert second.unsent
    assert talk.over


# --- Garbage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"what?\r\n", b"\r\n", b"25 ok\r\n", b"2500 ok\r\n", b"150 hm\r\n", b"650 no\r\n",
        b"250ok\r\n", b"250-a\r\n251 b\r\n", b"250-a\r\nb\r\n", b"x" * 9000, b"250 " + b"x" * 9000,
        b"250-x\r\n" * 300, b"HTTP/1.1 400 Bad Request\r\n", b"\x00\xff\r\n",
        "٢٥٠ ok\r\n".encode(), b"399 ok\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", range(6))
def test_garbage_instead_of_any_reply_ends_the_line_and_tells_no_lies(garbage, before):
    replies = [
        b"250 ok\r\n",
        b"250 ok\r\n",
        b"354 go\r\n",
        b"250 taken\r\n",
        b"250 ok\r\n",
        b"250 ok\r\n",
    ]
    talk = begun("ada@example.org")
    write(talk)
    settled = []
    for number, reply in enumerate([*replies[:before], garbage]):
        settled += talk.received(reply)
        if number == 2 and before > 2:
            talk.take(Outgoing(1, envelope("bo@example.org")))
            write(talk)

    found = {one.outgoing.key: one for one in settled}
    if garbage.startswith(b"399") and before == 2:
        # To DATA, 3yz is a yes by its first digit (RFC 5321 section 4.2.1).
        assert not talk.over
        return
    assert talk.over
    if before > 3:
        assert found[0].receipt.outcome is Outcome.ACCEPTED
        assert found[1].unsent
    elif before == 3:
        assert found[0].receipt.outcome is Outcome.UNKNOWN
        assert found[1].unsent
    else:
        assert found[0].unsent
    assert not talk.has_output


@given(st.binary(max_size=300), st.integers(0, 5))
def test_no_garbage_makes_an_accepted_message_that_was_not_sent(garbage: bytes, before: int):
    talk = begun("ada@example.org")
    write(talk)
    for reply in [b"250 ok\r\n", b"250 ok\r\n"][: min(before, 2)]:
        talk.received(reply)

    settled = talk.received(garbage) + ([] if talk.over else talk.lost("gone"))

    assert len(settled) == 1
    if b"354" not in garbage and b"3" not in garbage:
        assert settled[0].receipt.outcome not in (Outcome.ACCEPTED, Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "reply", [b"250 2.0.0 ok\r\n", b"550-a\r\n550 b\r\n", b"250\r\n", b"250 ok\n"]
)
def test_a_reply_may_be_split_anywhere(reply: bytes):
    for at in range(1, len(reply)):
        talk = begun("ada@example.org")
        talk.output()
        talk.received(reply[:at])
        talk.received(reply[at:])
        assert not talk.over
        assert talk.heard == 1


def test_a_refusal_that_was_heard_stands_although_the_line_ends_behind_it():
    talk = begun("ada@example.org")
    write(talk)
    talk.received(b"250 ok\r\n550 5.1.1 no such mailbox\r\n")

    (settled,) = talk.lost("gone")

    assert (settled.receipt.outcome, settled.unsent) == (Outcome.PERMANENT, False)
