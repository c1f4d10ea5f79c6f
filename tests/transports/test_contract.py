"""What every way out promises (transports.protocol), asked of each of them alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from anymail.message import AnymailRecipientStatus
from django.core import mail

from newsletter.transports import memory
from newsletter.transports.esp import EspTransport
from newsletter.transports.esp.letters import ApiMessage, Letter, as_django_message
from newsletter.transports.protocol import Transport
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope, Outcome, Receipt
from tests.running.smtp import SmtpCatcher
from tests.transports.esp_apis import ESPS, EspApis
from tests.transports.messages import envelope, outgoing, send

REFUSED = "invalid@example.org"


@dataclass
class Way:
    """A transport, and the recipients that its other end has taken so far."""

    transport: Transport
    taken: Callable[[], list[str]]


@pytest.fixture(params=["smtp", "memory", "esp-test", *(f"esp-{name}" for name in ESPS)])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    kind, _, esp = request.param.partition("-")
    if kind == "smtp":
        catcher: SmtpCatcher = request.getfixturevalue("smtp_catcher")
        catcher.refuse("RCPT", "550 5.1.1 no such mailbox", when=REFUSED)
        transport: Transport = SmtpTransport(Relay.from_url(catcher.url))
        found = Way(transport, lambda: catcher.recipients)
    elif kind == "memory":
        memory.outbox.clear()
        no = Receipt(Outcome.PERMANENT, 550, "5.1.1", "no such mailbox")
        found = Way(
            memory.MemoryTransport(lambda e: no if e.recipient == REFUSED else memory.OK),
            lambda: [e.recipient for e in memory.outbox],
        )
    elif esp == "test":
        mail.outbox = []
        request.getfixturevalue("monkeypatch").setattr(
            "newsletter.transports.esp.transport.as_django_message", _refusing
        )
        found = Way(
            EspTransport("test"),
            lambda: [to for m in mail.outbox for to in m.to if REFUSED not in m.to],
        )
    else:
        apis: EspApis = request.getfixturevalue("apis")
        found = Way(EspTransport(esp, tracking_off="brevo"), lambda: apis.recipients)
    yield found
    found.transport.close()


def _refusing(letters: list[Letter], **kwargs: Any) -> ApiMessage:
    message = as_django_message(letters, **kwargs)
    if message.to == [REFUSED]:
        status = AnymailRecipientStatus(message_id="1", status="invalid")
        message.anymail_test_response = {  # type: ignore[attr-defined]
            "recipient_status": {REFUSED: status}
        }
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
    assert sorted(way.taken()) == ["ada@example.org", "bo@example.org"]


def test_a_refusal_keeps_the_code_that_a_bounce_is_judged_by(way: Way):
    (receipt,) = send(way.transport, REFUSED)

    assert receipt.code in (550, 553)
    assert receipt.enhanced.startswith("5.1.")
    assert not receipt.about_the_line


def test_it_takes_no_more_messages_than_it_has_room_for(way: Way):
    """Little time may pass between the last look at a reader and the first byte."""
    asked: list[str] = []

    def envelopes() -> Iterator[Envelope]:
        for number in range(100):
            asked.append(f"reader-{number}@example.org")
            yield envelope(asked[-1])

    answers = way.transport.send(outgoing(envelopes()))
    next(answers)

    # One whose content is under way and one behind it, on each line.
    assert len(asked) <= 2 * way.transport.lines
    assert len([*answers]) == 99
    assert sorted(way.taken()) == sorted(asked)


def test_it_asks_again_when_nothing_was_ready(way: Way):
    one, other = outgoing([envelope("ada@example.org"), envelope("bo@example.org")])
    ready = [None, one, None, None, other, None]

    answers = dict(way.transport.send(ready))

    assert {receipt.outcome for receipt in answers.values()} == {Outcome.ACCEPTED}
    assert answers.keys() == {0, 1}
    assert sorted(way.taken()) == ["ada@example.org", "bo@example.org"]


def test_whoever_breaks_off_can_send_again(way: Way):
    answers = way.transport.send(outgoing(envelope() for _ in range(10)))
    next(iter(answers))
    answers.close()  # type: ignore[attr-defined]

    (receipt,) = send(way.transport, "late@example.org")

    assert receipt.outcome is Outcome.ACCEPTED
    assert "late@example.org" in way.taken()


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
