"""What every way out promises (transports.protocol), asked of each of them alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from anymail.message import AnymailRecipientStatus
from django.core import mail

from newsletter.transports import memory
from newsletter.transports.esp import EspTransport
from newsletter.transports.protocol import Transport
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope, Outcome, Receipt
from tests.running.smtp import SmtpCatcher
from tests.transports.messages import envelope, outgoing, send

REFUSED = "gone@example.org"


@dataclass
class Way:
    """A transport, and the recipients that its other end has taken so far."""

    transport: Transport
    taken: Callable[[], list[str]]


@pytest.fixture(params=["smtp", "esp", "memory"])
def way(
    request: pytest.FixtureRequest, smtp_catcher: SmtpCatcher, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Way]:
    if request.param == "smtp":
        smtp_catcher.refuse("RCPT", "550 5.1.1 no such mailbox", when=REFUSED)
        transport: Transport = SmtpTransport(Relay.from_url(smtp_catcher.url))
        found = Way(transport, lambda: smtp_catcher.recipients)
    elif request.param == "esp":
        mail.outbox = []
        monkeypatch.setattr("newsletter.transports.esp.as_django_message", _refusing)
        found = Way(
            EspTransport("test"),
            lambda: [to for m in mail.outbox for to in m.to if REFUSED not in m.to],
        )
    else:
        memory.outbox.clear()
        no = Receipt(Outcome.PERMANENT, 550, "5.1.1", "no such mailbox")
        found = Way(
            memory.MemoryTransport(lambda e: no if e.recipient == REFUSED else memory.OK),
            lambda: [e.recipient for e in memory.outbox],
        )
    yield found
    found.transport.close()


def _refusing(sent: Envelope):
    from newsletter.transports import esp

    message = esp.__dict__["EmailMultiAlternatives"](to=[sent.recipient], body="Hello.")
    if sent.recipient == REFUSED:
        status = AnymailRecipientStatus(message_id="1", status="invalid")
        message.anymail_test_response = {"recipient_status": {REFUSED: status}}
    return message


def test_each_message_gets_one_answer_under_its_key(way: Way):
    way.transport.open()
    readers = ["ada@example.org", REFUSED, "bo@example.org"]

    receipts = send(way.transport, *readers)

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.ACCEPTED,
        Outcome.PERMANENT,
        Outcome.ACCEPTED,
    ]
    assert way.taken() == ["ada@example.org", "bo@example.org"]


def test_a_refusal_keeps_the_code_that_a_bounce_is_judged_by(way: Way):
    (receipt,) = send(way.transport, REFUSED)

    assert receipt.code in (550, 553)
    assert receipt.enhanced.startswith("5.1.")
    assert not receipt.about_the_line


def test_it_takes_the_next_message_only_when_the_one_before_is_answered(way: Way):
    asked: list[str] = []

    def envelopes() -> Iterator[Envelope]:
        for reader in ("ada@example.org", "bo@example.org"):
            asked.append(reader)
            yield envelope(reader)

    next(iter(way.transport.send(outgoing(envelopes()))))

    assert asked == ["ada@example.org"]
    assert way.taken() == ["ada@example.org"]


def test_it_sends_nothing_when_there_is_nothing(way: Way):
    assert list(way.transport.send([])) == []
    assert way.taken() == []


def test_opening_and_closing_twice_is_harmless(way: Way):
    way.transport.open()
    way.transport.open()
    way.transport.close()
    way.transport.close()
    way.transport.abort()


def test_it_can_be_opened_again_after_it_was_aborted(way: Way):
    way.transport.open()
    way.transport.abort()

    (receipt,) = send(way.transport, "ada@example.org")

    assert receipt.outcome is Outcome.ACCEPTED


def test_a_receipt_lets_go_of_no_address(way: Way):
    """What it says may be logged (invariant 11)."""
    (receipt,) = send(way.transport, "private.person@example.org")

    assert "private.person" not in receipt.as_line()
