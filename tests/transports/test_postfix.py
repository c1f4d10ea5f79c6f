"""The engine and a real Postfix: what it accepts arrives, once, with the right sender."""

import email
import itertools
import time
from collections.abc import Iterator

import pytest

from newsletter.transports.protocol import Outgoing
from newsletter.transports.relay import Relay
from newsletter.transports.return_path import read_return_path, return_path_maker
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope, Outcome
from tests.running import postfix
from tests.running.smtp import Caught, SmtpCatcher
from tests.transports.messages import content

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def relay() -> Iterator[tuple[postfix.Postfix, SmtpCatcher]]:
    with SmtpCatcher() as catcher:
        try:
            with postfix.running(catcher.port) as running:
                yield running, catcher
        except postfix.NoPostfix as error:
            pytest.skip(str(error))


@pytest.fixture(params=["pipelined", "lockstep"])
def sending(request, relay) -> Iterator[tuple[SmtpTransport, SmtpCatcher]]:
    running, catcher = relay
    port = getattr(running, request.param)
    transport = SmtpTransport(Relay.from_url(f"smtp://127.0.0.1:{port}?timeout=30"))
    yield transport, catcher
    transport.close()


_numbers = itertools.count()


def letter(recipient: str, body: bytes = b"Hello.\r\n") -> Envelope:
    """Each with a sender of its own, so that a mix-up would show."""
    sender = f"bounce+{next(_numbers)}@wellread.example"
    return Envelope(sender, recipient, content(body, to=recipient))


def arrived(catcher: SmtpCatcher, sent: list[Envelope]) -> dict[str, Caught]:
    """Wait until all of them are there; return each by its sender. None may be there twice."""
    deadline = time.monotonic() + 60
    while True:
        senders = {one.sender for one in sent}
        found = [mail for mail in list(catcher.messages) if mail.sender in senders]
        assert len({mail.sender for mail in found}) == len(found), "doubled"
        if len(found) == len(sent):
            return {mail.sender: mail for mail in found}
        assert time.monotonic() < deadline, f"{len(found)} of {len(sent)} arrived"
        time.sleep(0.05)


def test_what_postfix_accepts_arrives_once_and_whole(sending):
    transport, catcher = sending
    body = b"..\r\n.\r\n.hidden\r\n" + b"x" * 990 + b"\r\n" + b"A line.\r\n" * 2000
    sent = [letter(f"reader-{number}@example.org", body) for number in range(300)]

    answers = list(transport.send(Outgoing(*pair) for pair in enumerate(sent)))

    assert len(answers) == 300
    assert {receipt.outcome for _, receipt in answers} == {Outcome.ACCEPTED}
    assert all("queued as" in receipt.reply for _, receipt in answers)
    there = arrived(catcher, sent)
    for one in sent:
        mail = there[one.sender]
        assert mail.recipient == one.recipient
        # Behind Postfix's own header lines.
        assert mail.content.partition(b"\r\n\r\n")[2] == body


def test_what_postfix_refuses_is_one_readers_and_the_next_ones_sender_is_their_own(sending):
    transport, catcher = sending
    readers = ["ada", "gone", "bo", "later", "cy", "gone", "later", "dee"] * 10
    sent = [letter(f"{reader}@example.org") for reader in readers]

    answers = dict(transport.send(Outgoing(*pair) for pair in enumerate(sent)))

    expected = {"gone": (Outcome.PERMANENT, "5.1.1"), "later": (Outcome.TEMPORARY, "4.2.1")}
    for key, reader in enumerate(readers):
        found = answers[key].outcome, answers[key].enhanced
        assert found == expected.get(reader, (Outcome.ACCEPTED, "2.0.0"))
        assert not answers[key].about_the_line
    taken = [one for one in sent if one.recipient[:-12] not in expected]
    there = arrived(catcher, taken)
    assert all(there[one.sender].recipient == one.recipient for one in taken)


def test_421_costs_its_message_a_delay_and_no_other_anything(sending):
    transport, catcher = sending
    readers = [f"reader-{number}" for number in range(40)]
    readers[10] = readers[25] = "busy"
    sent = [letter(f"{reader}@example.org") for reader in readers]

    answers = dict(transport.send(Outgoing(*pair) for pair in enumerate(sent)))

    for key, reader in enumerate(readers):
        assert (answers[key].outcome is Outcome.ACCEPTED) is (reader != "busy")
        assert (answers[key].code == 421) is (reader == "busy")
    assert len(arrived(catcher, [one for one in sent if "busy" not in one.recipient])) == 38


def test_its_limit_of_size_is_known_before_a_byte_goes_out(sending):
    transport, _ = sending
    large = letter("ada@example.org", b"A line.\r\n" * 30_000)

    ((_, receipt),) = transport.send([Outgoing(1, large)])

    assert (receipt.outcome, receipt.enhanced) == (Outcome.OURS, "5.3.4")


def test_a_refused_sender_is_ours(sending):
    transport, catcher = sending
    refused = Envelope("nobody@wellread.example", "ada@example.org", content())

    good = letter("bo@example.org")

    answers = dict(transport.send([Outgoing(1, refused), Outgoing(2, good)]))

    assert answers[1].outcome is Outcome.OURS
    assert answers[2].outcome is Outcome.ACCEPTED
    assert len(arrived(catcher, [good])) == 1


def test_what_bounces_later_comes_to_the_copys_own_address_without_the_mail(sending):
    """The next server refuses what Postfix has taken: RFC 3461's answer to what we asked for."""
    transport, catcher = sending
    number = next(_numbers)
    keys = [(3, b"k" * 32)]
    sender = return_path_maker(*keys[0], "bounces.wellread.example")(number)
    reader = f"van+ished{number}@example.org"
    catcher.refuse("RCPT", "550 5.1.1 nobody of that name", when=f"<{reader}>")

    sent = Envelope(sender, reader, content(b"About your back.\r\n" * 50, to=reader))
    ((_, receipt),) = transport.send([Outgoing(1, sent)])
    assert receipt.outcome is Outcome.ACCEPTED

    (bounce,) = catcher.wait_for(to=sender, seconds=60)
    assert bounce.sender == ""
    assert read_return_path(bounce.recipient, keys, "bounces.wellread.example") == number
    report = email.message_from_bytes(bounce.content)
    _, status, returned = report.get_payload()
    assert report.get_param("report-type") == "delivery-status"
    about_mail, about_reader = status.get_payload()
    assert about_mail["Original-Envelope-Id"] == sender.partition("@")[0].removeprefix("bounce+")
    assert about_reader["Original-Recipient"] == f"rfc822;{reader}"
    assert (about_reader["Action"], about_reader["Status"]) == ("failed", "5.1.1")
    assert returned.get_content_type() == "text/rfc822-headers"
    assert b"About your back" not in bounce.content
