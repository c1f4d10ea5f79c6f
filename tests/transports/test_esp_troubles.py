"""The APIs of four ESPs: what becomes of the letters when something goes wrong."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.esp import transport as esp_transport
from newsletter.transports.esp.letters import opened
from newsletter.transports.esp.transport import _Call
from newsletter.transports.protocol import Answered, Outgoing
from newsletter.transports.values import Outcome
from tests.transports.esp_apis import ESPS, EspApis
from tests.transports.esp_letters import copy, outcomes, send

# --- When it goes wrong ------------------------------------------------------------------


def test_a_refused_address_is_that_readers_matter_alone(esp: EspTransport, apis: EspApis):
    apis.refused = {"reader3@example.org"}

    receipts = send(esp, *(copy(number) for number in range(8)))

    assert receipts[3].outcome is Outcome.PERMANENT
    assert receipts[3].enhanced in ("5.1.3", "5.0.0")
    assert outcomes(receipts[:3] + receipts[4:]) == [Outcome.ACCEPTED] * 7
    assert sorted(apis.recipients) == sorted(
        f"reader{number}@example.org" for number in range(8) if number != 3
    )
    assert "reader3" not in receipts[3].as_line()


def test_several_refused_in_one_call_are_found(batching: EspTransport, apis: EspApis):
    apis.refused = {f"reader{8 * number}@example.org" for number in (0, 3, 4, 9)}

    receipts = send(batching, *(copy(8 * number) for number in range(10)))

    bad = [number for number, each in enumerate(receipts) if each.outcome is Outcome.PERMANENT]
    assert bad == [0, 3, 4, 9]
    assert len(apis.arrived) == len(set(apis.recipients)) == 6


@pytest.mark.parametrize("how", ["drop", "take and drop"])
def test_a_connection_lost_after_the_request_leaves_it_unknown_and_is_not_tried_again(
    esp: EspTransport, apis: EspApis, how: str
):
    """Invariant 7. boto3 and urllib3 would have sent it again by themselves."""
    apis.next = [how]

    (receipt,) = send(esp, copy(1))

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.UNKNOWN, False)
    assert len(apis.requests) == 1
    assert outcomes(send(esp, copy(2))) == [Outcome.ACCEPTED]


def test_an_answer_that_does_not_come_in_time_leaves_it_unknown(
    apis: EspApis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("newsletter.transports.esp.providers.TIMEOUTS", (2.0, 0.2))
    for name in ESPS:
        apis.next = ["hang"]
        made = EspTransport(name, tracking_off=name)

        (receipt,) = send(made, copy(1))

        made.close()
        assert receipt.outcome is Outcome.UNKNOWN, name


@pytest.mark.parametrize(
    ("status", "outcome"), [(500, Outcome.UNKNOWN), (504, Outcome.UNKNOWN), (403, Outcome.OURS)]
)
def test_an_error_of_the_esp_is_no_readers_fault(
    esp: EspTransport, apis: EspApis, status: int, outcome: Outcome
):
    apis.next = [(status, {}, {"message": "trouble"})] * 5

    receipts = send(esp, copy(0), copy(8))

    assert set(outcomes(receipts)) == {outcome}
    assert apis.arrived == []


def test_an_answer_that_cannot_be_read_leaves_it_unknown(esp: EspTransport, apis: EspApis):
    """It may well have been taken: never silently "sent" or "failed"."""
    apis.next = [(200, {}, b"<html>proxy</html>")]

    (receipt,) = send(esp, copy(0))

    assert receipt.outcome is Outcome.UNKNOWN


def test_an_esp_that_cannot_be_reached_is_about_the_line(apis: EspApis, settings: Any):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings.ANYMAIL = EspApis(url=nowhere).settings()
    for name in ESPS:
        made = EspTransport(name, tracking_off=name)

        receipts = send(made, copy(0), copy(8))

        made.close()
        assert all(each.about_the_line for each in receipts), name
        assert set(outcomes(receipts)) == {Outcome.TEMPORARY}, name


def test_a_call_refused_whole_for_our_own_fault_is_not_repeated_letter_by_letter(
    batching: EspTransport, apis: EspApis
):
    apis.next = [(400, {}, {"message": "sender not verified", "ErrorCode": 400})] * 500

    receipts = send(batching, *(copy(8 * number) for number in range(100)))

    assert set(outcomes(receipts)) == {Outcome.OURS}
    assert apis.arrived == []
    assert len(apis.requests) < 20


# --- Too many ----------------------------------------------------------------------------


def too_many(seconds: float) -> tuple[int, dict[str, str], Any]:
    return 429, {"Retry-After": str(seconds)}, {"message": "slow down"}


def test_a_short_wait_is_waited_for_and_nobody_notices(esp: EspTransport, apis: EspApis):
    apis.next = [too_many(0.3)]
    begun = time.monotonic()

    receipts = send(esp, copy(0))

    assert outcomes(receipts) == [Outcome.ACCEPTED]
    assert time.monotonic() - begun >= 0.3
    assert len(apis.requests) == 2


def test_a_long_wait_gives_the_messages_back_and_nothing_is_called_until_it_is_over(
    esp: EspTransport, apis: EspApis
):
    apis.next = [too_many(60)]

    first = send(esp, copy(0))
    called = len(apis.requests)
    second = send(esp, copy(1), copy(2))

    assert all(each.about_the_line for each in first + second)
    assert set(outcomes(first + second)) == {Outcome.TEMPORARY}
    assert called == len(apis.requests) == 1
    assert "left alone" in second[0].reply
    # It is over.
    esp_transport._quiet_until[esp.name] = time.monotonic()
    assert outcomes(send(esp, copy(1))) == [Outcome.ACCEPTED]


def test_only_that_transport_slows(apis: EspApis):
    slow, other = EspTransport("postmark"), EspTransport("mailgun")
    apis.next = [too_many(60)]

    assert send(slow, copy(0))[0].about_the_line
    assert outcomes(send(other, copy(0))) == [Outcome.ACCEPTED]
    # And another worker's transport to the same ESP, in the same process, obeys too.
    assert send(EspTransport("postmark"), copy(1))[0].about_the_line
    slow.close()
    other.close()


# --- Once and only once ------------------------------------------------------------------


def test_the_same_letter_sent_again_has_the_same_idempotency_key(apis: EspApis):
    for name in ("brevo", "resend"):
        apis.requests.clear()
        made = EspTransport(name, tracking_off=name)
        for number in (1, 1, 2):
            send(made, copy(number))
        made.close()

        keys = [
            request.headers.get("Idempotency-Key")
            or request.data.get("headers", {}).get("idempotencyKey")
            for request in apis.requests
        ]
        assert keys[0] and keys[0] == keys[1] != keys[2], name


# --- Broken off --------------------------------------------------------------------------


def abort_when_called(made: EspTransport, apis: EspApis) -> None:
    def watch() -> None:
        deadline = time.monotonic() + 10
        while not apis.at_once and time.monotonic() < deadline:
            time.sleep(0.005)
        made.abort()

    threading.Thread(target=watch, daemon=True).start()


def test_after_breaking_off_each_letter_taken_is_answered_and_no_other_is_called(
    esp: EspTransport, apis: EspApis
):
    apis.delay = 0.5
    taken: list[int] = []

    def outgoing() -> Iterator[Outgoing]:
        for number in range(40):
            taken.append(number)
            yield Outgoing(number, copy(8 * number))

    abort_when_called(esp, apis)
    answers: list[Answered] = list(esp.send(outgoing()))

    assert sorted(answer.key for answer in answers) == taken
    unknown = [a.key for a in answers if a.receipt.outcome is Outcome.UNKNOWN]
    back = [a.key for a in answers if a.receipt.outcome is Outcome.TEMPORARY]
    assert unknown and len(unknown) + len(back) == len(taken)
    assert all(a.receipt.about_the_line for a in answers if a.key in back)
    time.sleep(0.8)
    arrived = {int(re.sub(r"\D", "", to)) // 8 for to in apis.recipients}
    assert arrived <= set(unknown), "what was given back must not arrive"


def test_what_was_given_back_does_not_go_out_when_the_transport_is_opened_again_at_once(
    esp: EspTransport, apis: EspApis
):
    """The call's thread slept meanwhile, and must not wake up into the next task."""
    esp.open()
    esp_transport._quiet_until[esp.name] = time.monotonic() + 0.9

    def abort_and_open() -> None:
        esp.abort()
        esp.open()

    threading.Timer(0.2, abort_and_open).start()
    (answer,) = esp.send([Outgoing(0, copy(0))])
    time.sleep(1.0)

    assert (answer.receipt.outcome, answer.receipt.about_the_line) == (Outcome.TEMPORARY, True)
    assert apis.requests == []


def test_a_call_that_was_given_back_begins_no_request(esp: EspTransport):
    """Whichever of the two threads comes first: given back, or may have gone, and never both."""
    letters = [opened(Outgoing(number, copy(number))) for number in range(3)]
    call = _Call(letters, threading.Event())

    assert call.begin(letters[:1])
    given = {answer.key: answer.receipt.outcome for answer in call.give_back()}

    assert given == {0: Outcome.UNKNOWN, 1: Outcome.TEMPORARY, 2: Outcome.TEMPORARY}
    assert not call.begin(letters[1:])


def test_what_begins_to_go_out_is_announced_before_it_does(esp: EspTransport, apis: EspApis):
    """For the journal: what was not announced did certainly not go out."""
    announced: list[int] = []

    def begins(key: int) -> None:
        assert key not in [int(re.sub(r"\D", "", to)) for to in apis.recipients]
        announced.append(key)

    list(esp.send(Outgoing(number, copy(number), begins) for number in range(9)))

    assert sorted(announced) == list(range(9))


def test_the_unannounced_letters_are_those_that_were_given_back(apis: EspApis):
    made = EspTransport("amazon_ses")
    apis.delay = 0.5
    announced: list[int] = []
    abort_when_called(made, apis)

    answers = list(made.send(Outgoing(n, copy(n), announced.append) for n in range(40)))

    unknown = {a.key for a in answers if a.receipt.outcome is Outcome.UNKNOWN}
    assert unknown <= set(announced)


def test_letters_go_out_while_others_are_not_ready_yet(esp: EspTransport, apis: EspApis):
    """`None` is "nothing just now": what is there goes, and does not wait for a full call."""

    def outgoing() -> Iterator[Outgoing | None]:
        yield Outgoing(0, copy(0))
        deadline = time.monotonic() + 5
        while not apis.arrived and time.monotonic() < deadline:
            yield None
        yield Outgoing(1, copy(1))

    assert len(list(esp.send(outgoing()))) == 2
    assert apis.recipients[0] == "reader0@example.org"
    assert len(apis.requests) == 2
