"""Answers that one ESP gives and no other, as its documentation has them, and odd ones."""

import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.esp import transport as esp_transport
from newsletter.transports.values import Outcome
from tests.transports.esp_apis import EspApis
from tests.transports.esp_letters import copy, outcomes, send

DUPLICATE = {"code": "duplicate_parameter", "message": "idempotencyKey was used already"}


def test_brevo_has_had_this_very_call_before_and_it_is_made_no_second_time(apis: EspApis):
    """A call whose answer got lost, made again within half an hour. In halves it would be sent
    again under other keys; and what became of the first one, Brevo does not say."""
    made = EspTransport("brevo", tracking_off="brevo")
    apis.next = [(400, {}, DUPLICATE)]

    receipts = send(made, *(copy(8 * number) for number in range(5)))
    made.close()

    assert set(outcomes(receipts)) == {Outcome.UNKNOWN}
    assert not any(receipt.about_the_line for receipt in receipts)
    assert len(apis.requests) == 1
    assert apis.arrived == []


@pytest.mark.parametrize("name", ["invalid_idempotent_request", "concurrent_idempotent_requests"])
def test_resend_has_had_this_letter_in_another_form_or_is_at_it(apis: EspApis, name: str):
    """The reader's name was corrected in between: no fault of the reader, and no reason to stop."""
    made = EspTransport("resend", tracking_off="resend")
    apis.next = [(409, {}, {"statusCode": 409, "name": name, "message": "used already"})]

    (receipt,) = send(made, copy(1))
    made.close()

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.UNKNOWN, False)
    assert len(apis.requests) == 1


def test_mailguns_cheerful_answer_at_a_wrong_address_stops_the_mailing(apis: EspApis):
    """Mailgun answers 200 wherever it knows no API: nobody was sent anything."""
    made = EspTransport("mailgun")
    apis.next = [(200, {}, b"Mailgun Magnificent API")] * 2

    receipts = send(made, copy(0), copy(8))
    made.close()

    assert set(outcomes(receipts)) == {Outcome.OURS}
    assert all(receipt.about_the_line for receipt in receipts)
    assert "ANYMAIL_MAILGUN_API_URL" in receipts[0].reply


def test_postmark_is_never_asked_for_its_other_way_of_sending_many(apis: EspApis, settings: Any):
    """Its bulk API answers for a whole call, later, and not for each reader."""
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_USE_BULK_API": True}
    made = EspTransport("postmark")

    receipts = send(made, copy(0), copy(8))
    made.close()

    assert outcomes(receipts) == [Outcome.ACCEPTED] * 2
    assert isinstance(apis.requests[0].data, list)
    assert all(arrived.headers["Message-ID"].startswith("<abc") for arrived in apis.arrived)


def test_postmark_takes_a_letter_whose_delivery_it_expects_late(apis: EspApis):
    late = {"Message": "Message accepted, but delivery may be delayed.", "MessageID": "1"}
    made = EspTransport("postmark")
    apis.next = [(200, {}, {**late, "To": "reader1@example.org"})]

    (receipt,) = send(made, copy(1))
    made.close()

    assert receipt.outcome is Outcome.ACCEPTED


def test_postmark_says_too_many_and_not_for_how_long(apis: EspApis):
    """It documents 429, and no header with it."""
    made = EspTransport("postmark")
    apis.next = [(429, {}, {"ErrorCode": 429, "Message": "Rate limit exceeded"})]

    (receipt,) = send(made, copy(1))

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.TEMPORARY, True)
    assert 4 < esp_transport._quiet_until["esp-postmark"] - time.monotonic() <= 5
    made.close()


def test_staff_see_for_how_long_an_esp_wants_to_be_left_alone(apis: EspApis):
    made = EspTransport("mailgun")
    apis.next = [(429, {"Retry-After": "60"}, {"message": "slow down"})]
    send(made, copy(1))

    (state,) = made.states()
    made.close()

    assert (state.where, state.trouble) == ("mailgun", "")
    assert 50 < state.rests <= 60


def test_an_esp_that_cannot_be_reached_is_shown_as_a_relay_would_be(apis: EspApis, settings: Any):
    reached = settings.ANYMAIL
    settings.ANYMAIL = {**reached, "MAILGUN_API_URL": "http://127.0.0.1:9/v3"}
    away = EspTransport("mailgun")
    send(away, copy(1))

    (state,) = away.states()
    away.close()
    assert state.lines == 0
    assert "refused" in state.trouble

    # A letter that is answered says that all is well, whatever the answer.
    settings.ANYMAIL = reached
    made = EspTransport("mailgun")
    made._trouble = state.trouble
    send(made, copy(1))
    assert made.states()[0].trouble == ""
    made.close()


# --- Odd ones -----------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [[], ["one"], None, ["one", "one"]])
def test_brevo_names_fewer_messages_than_it_was_given_and_nobody_knows_which(
    apis: EspApis, ids: list[str] | None
):
    made = EspTransport("brevo", tracking_off="brevo")
    apis.next = [(201, {}, {"messageIds": ids})]

    receipts = send(made, *(copy(8 * number) for number in range(3)))
    made.close()

    assert set(outcomes(receipts)) == {Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("name", "answer"),
    [("amazon_ses", []), ("amazon_ses", None), ("mailgun", {"id": [], "message": None})],
)
def test_an_answer_that_anymail_stumbles_over_costs_no_other_call_its_own(
    apis: EspApis, name: str, answer: Any
):
    made = EspTransport(name)
    apis.next = [(200, {}, answer)]

    receipts = send(made, copy(0)) + send(made, copy(8))
    made.close()

    assert outcomes(receipts) == [Outcome.UNKNOWN, Outcome.ACCEPTED]


@pytest.mark.parametrize("asked", ["0", "-5", formatdate(0, usegmt=True)])
def test_a_wait_that_is_over_already_is_a_short_one_and_no_trouble(apis: EspApis, asked: str):
    made = EspTransport("postmark")
    apis.next = [(429, {"Retry-After": asked}, {"message": "slow down"})]

    (receipt,) = send(made, copy(1))
    (state,) = made.states()
    made.close()

    assert receipt.outcome is Outcome.ACCEPTED
    assert state.trouble == ""


@pytest.mark.parametrize(
    ("asked", "quiet"),
    [
        (lambda: formatdate(time.time() + 90, usegmt=True), 90),
        (lambda: "99999999999999", 3600),
        (lambda: "1e400", 5),
        (lambda: "soon", 5),
        (lambda: "Mon, 01 Jan 99999 00:00:00 GMT", 5),
    ],
)
def test_a_wait_may_be_said_in_many_ways(apis: EspApis, asked: Callable[[], str], quiet: int):
    made = EspTransport("postmark")
    apis.next = [(429, {"Retry-After": asked()}, {"message": "slow down"})]

    send(made, copy(1))
    made.close()

    left = esp_transport._quiet_until["esp-postmark"] - time.monotonic()
    assert quiet - 3 < left <= quiet


@pytest.mark.parametrize("name", ["mailgun", "brevo"])
def test_too_many_is_obeyed_in_the_middle_of_a_call_that_is_sent_in_halves(
    apis: EspApis, name: str
):
    made = EspTransport(name, tracking_off="brevo")
    apis.next = [
        (400, {}, {"message": "no"}),
        (429, {"Retry-After": "60"}, {"message": "slow down"}),
    ]

    send(made, *(copy(8 * number) for number in range(10)))
    called = len(apis.requests)
    send(made, copy(8 * 11))
    made.close()

    assert called == len(apis.requests) == 2
    assert apis.arrived == []
