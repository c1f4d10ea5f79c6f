"""The state machine without a socket: what goes out when, refusals, 421, odd addresses."""

import pytest

from newsletter.transports.protocol import Outgoing
from newsletter.transports.smtp.conversation import Conversation
from newsletter.transports.smtp.envelope import Offer
from newsletter.transports.values import Envelope, Outcome
from tests.transports.messages import content, envelope
from tests.transports.table import (
    LOCKSTEP,
    OFFER,
    READERS,
    begun,
    one_by_one,
    outcomes,
    run,
    saying,
    whole,
    write,
)

# --- What goes out ------------------------------------------------------------------------------


def test_the_commands_of_a_message_go_out_in_one_write():
    talk = begun("ada@example.org")
    size = len(envelope("ada@example.org").content)

    assert talk.output() == (
        b"MAIL FROM:<bounces@wellread.example> SIZE=%d\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"
        % size
    )
    assert not talk.has_room


def test_its_content_goes_out_together_with_the_next_messages_commands():
    talk = begun("ada@example.org")
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert talk.has_room
    talk.take(Outgoing(1, envelope("bo@example.org")))

    written = talk.output()

    content = envelope("ada@example.org").content
    assert written.startswith(content + b".\r\nMAIL FROM:<bounces@wellread.example>")
    assert written.endswith(b"RCPT TO:<bo@example.org>\r\nDATA\r\n")
    # One whose content is under way and one behind it, and no third.
    assert not talk.has_room


@pytest.mark.parametrize(
    "replies", [b"", b"250 ok\r\n", b"250 ok\r\n250 ok\r\n", b"250 ok\r\n250 ok\r\n35"]
)
def test_no_content_goes_out_before_its_354(replies: bytes):
    talk = begun("ada@example.org")
    talk.output()
    talk.received(replies)

    assert not talk.has_output
    assert not talk.has_room


def test_a_message_that_comes_late_follows_the_content_that_is_out_already():
    talk = begun("ada@example.org")
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.output()

    talk.take(Outgoing(1, envelope("bo@example.org")))

    assert talk.output().startswith(b"MAIL FROM:")


def test_without_pipelining_each_command_waits_for_its_answer():
    talk = begun("ada@example.org", offer=LOCKSTEP)
    verbs = []
    for reply in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        verbs.append(talk.output()[:4])
        assert not talk.has_output
        talk.received(reply)

    assert verbs == [b"MAIL", b"RCPT", b"DATA"]
    assert write(talk).endswith(b".\r\n")
    assert not talk.has_room
    (settled,) = talk.received(b"250 taken\r\n")
    assert settled.receipt.outcome is Outcome.ACCEPTED
    assert talk.has_room


@pytest.mark.parametrize("split", [whole, one_by_one], ids=["whole", "dripped"])
def test_content_is_announced_when_it_is_written_and_not_before(split):
    began: list[int] = []
    talk = Conversation(OFFER)
    talk.take(Outgoing(7, envelope(), began.append))
    talk.output()
    for reply in split(b"250 ok\r\n250 ok\r\n354 go\r\n"):
        talk.received(reply)
    assert began == []

    talk.output()

    assert began == [7]


@pytest.mark.parametrize("split", [whole, one_by_one], ids=["whole", "dripped"])
def test_the_answer_to_one_message_is_there_before_the_next_one_on_its_line_begins(split):
    """They come in one breath; who is killed in between knows the first one's outcome."""
    began: list[int] = []
    talk = Conversation(OFFER)
    talk.take(Outgoing(1, envelope(), began.append))
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.take(Outgoing(2, envelope(), began.append))
    write(talk)

    settled = [
        one
        for reply in split(b"250 taken\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        for one in talk.received(reply)
    ]

    assert [one.outgoing.key for one in settled] == [1]
    assert began == [1]
    talk.output()
    assert began == [1, 2]


def test_content_that_was_lost_before_it_was_written_never_began():
    began: list[int] = []
    talk = Conversation(OFFER)
    talk.take(Outgoing(7, envelope(), began.append))
    talk.output()
    talk.received(b"250 ok\r\n250 ok\r\n354 go\r\n")

    (settled,) = talk.lost("cut")

    assert settled.unsent
    assert talk.output() == b""
    assert began == []


# --- Refusals -----------------------------------------------------------------------------------

REFUSALS = [
    ("RCPT", b"550 5.1.1 no such mailbox", "permanent"),
    ("RCPT", b"550-5.1.1 no such\r\n550-5.1.1 mailbox\r\n550 5.1.1 here", "permanent"),
    ("RCPT", b"450 4.2.1 greylisted", "temporary"),
    ("RCPT", b"550 5.7.1 policy", "ours"),
    ("RCPT", b"599", "permanent"),
    ("DATA", b"451 4.3.0 later", "temporary"),
    ("DATA", b"554 5.5.0 no", "permanent"),
    ("FINAL", b"452 4.3.1 full", "temporary"),
    ("FINAL", b"554 5.6.0 not this", "permanent"),
    ("FINAL", b"550 5.7.26 unauthenticated", "ours"),
    ("MAIL", b"451 4.3.0 later", "temporary"),
    ("MAIL", b"553 5.1.8 who are you", "ours"),
    ("MAIL", b"550 no", "ours"),
]


@pytest.mark.parametrize("offer", [OFFER, LOCKSTEP], ids=["pipelined", "lockstep"])
@pytest.mark.parametrize("eager", [False, True], ids=["strict", "eager"])
@pytest.mark.parametrize("split", [whole, one_by_one], ids=["whole", "dripped"])
@pytest.mark.parametrize(("step", "reply", "outcome"), REFUSALS)
def test_a_refusal_is_for_one_message_and_the_others_go_on(
    step, reply, outcome, split, eager, offer
):
    left = [0]

    def script(at: str, text: str) -> bytes | None:
        if at == step:
            left[0] += 1
        return reply if at == step and left[0] == 2 else None

    receipts, book, table = run(script, split=split, eager=eager, offer=offer)

    assert outcomes(receipts) == ["accepted", outcome, "accepted"]
    assert receipts[1].code == int(reply[:3])
    assert receipts[1].about_the_line is (step == "MAIL")
    assert book.recipients == [READERS[0], READERS[2]]
    # A strict relay keeps the line; an eager one that would mail an empty message loses it.
    assert table.connections == 1


def test_all_of_them_may_be_refused():
    receipts, book, table = run(saying("RCPT", b"550 5.1.1 no", times=99), eager=True)

    assert outcomes(receipts) == ["permanent"] * 3
    assert book.committed == []
    assert table.connections == 1


def test_a_recipient_without_a_sender_is_never_sent_a_lone_dot():
    """It would be an empty message."""
    talk = begun("ada@example.org")
    talk.output()

    (settled,) = talk.received(b"550 no\r\n250 ok\r\n354 go\r\n")

    assert settled.receipt.outcome is Outcome.OURS
    assert talk.over and not talk.has_output


def test_a_reply_of_several_lines_is_read_as_one_sentence():
    receipts, _, _ = run(
        saying("RCPT", b"550-5.1.1 The mailbox\r\n550-5.1.1 does not\r\n550 5.1.1 exist.")
    )

    assert receipts[0].as_line() == "550 5.1.1 The mailbox does not exist."


def test_control_characters_of_a_relay_reach_no_log():
    receipts, _, _ = run(saying("RCPT", b"550 5.1.1 no\x1b[31m\x00 \xff way"))

    assert receipts[0].reply.isprintable()


def test_a_readers_letters_outside_ascii_that_are_refused_at_mail_stop_nobody_else():
    """RFC 6531 section 3.5. Otherwise one such address would stop the mailing for good."""
    talk = begun("jürgen@example.org")
    write(talk)
    (settled,) = talk.received(
        b"550 5.6.7 no such letters\r\n503 5.5.1 MAIL first\r\n503 5.5.1 RCPT first\r\n"
    )

    assert settled.receipt.outcome is Outcome.PERMANENT
    assert not settled.receipt.about_the_line


# --- 421 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("offer", [OFFER, LOCKSTEP], ids=["pipelined", "lockstep"])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reader", [0, 1, 2])
def test_421_sends_what_is_behind_it_over_another_line(step, reader, offer):
    count = [-1]

    def script(at: str, text: str) -> bytes | None:
        if at == step:
            count[0] += 1
            if count[0] == reader:
                return b"421 4.7.0 enough"
        return None

    receipts, book, table = run(script, offer=offer)

    assert outcomes(receipts) == ["accepted"] * 3
    assert book.recipients == READERS
    assert table.connections == 2


def test_421_to_the_content_is_a_clear_no_and_the_next_one_is_certainly_unsent():
    receipts, book, table = run(saying("FINAL", b"421 4.3.2 shutting down"))

    assert outcomes(receipts) == ["temporary", "accepted", "accepted"]
    assert book.recipients == READERS[1:]
    assert table.connections == 2


def test_421_out_of_the_blue_ends_an_idle_line_and_nothing_else():
    talk = Conversation(OFFER)

    assert talk.received(b"421 4.4.2 idle too long\r\n") == []
    assert talk.over


def test_421_to_the_data_of_a_refused_recipient_leaves_the_refusal():
    talk = begun("ada@example.org")
    talk.output()

    (settled,) = talk.received(b"250 ok\r\n550 5.1.1 no\r\n421 bye\r\n")

    assert (settled.receipt.outcome, settled.unsent) == (Outcome.PERMANENT, False)


# --- What a relay cannot carry ------------------------------------------------------------------


def test_a_message_that_is_too_large_is_ours_and_nothing_is_written():
    talk = Conversation(OFFER._replace(limit=10))

    receipt = talk.take(Outgoing(0, envelope()))

    assert receipt is not None
    assert (receipt.outcome, receipt.enhanced) == (Outcome.OURS, "5.3.4")
    assert not talk.has_output and talk.has_room


def test_an_address_outside_ascii_says_smtputf8_or_is_refused():
    talk = begun("jürgen@bücher.example")
    assert (
        b" SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<j\xc3\xbcrgen@xn--bcher-kva.example>" in talk.output()
    )

    without = Conversation(OFFER._replace(smtputf8=False))
    receipt = without.take(Outgoing(0, envelope("jürgen@example.org")))

    assert receipt is not None
    assert (receipt.outcome, receipt.enhanced) == (Outcome.PERMANENT, "5.6.7")


def test_a_domain_outside_ascii_needs_no_smtputf8():
    talk = Conversation(Offer(pipelining=True))
    plain = Envelope("bounces@wellread.example", "ada@bücher.example", content())
    assert talk.take(Outgoing(0, plain)) is None

    assert (
        b"MAIL FROM:<bounces@wellread.example>\r\nRCPT TO:<ada@xn--bcher-kva.example>\r\n"
        in talk.output()
    )


def test_octets_outside_ascii_need_8bitmime():
    eight = Envelope(
        "b@wellread.example", "ada@example.org", "Subject: x\r\n\r\nGrüße\r\n".encode()
    )
    talk = Conversation(OFFER)
    assert talk.take(Outgoing(0, eight)) is None
    assert b" BODY=8BITMIME\r\n" in talk.output()

    receipt = Conversation(OFFER._replace(eight_bit=False)).take(Outgoing(0, eight))

    assert receipt is not None
    assert (receipt.outcome, receipt.enhanced) == (Outcome.OURS, "5.6.3")
