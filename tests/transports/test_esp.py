"""An ESP's API through anymail, against anymail's own test backend."""

from types import SimpleNamespace

import pytest
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailRecipientStatus
from django.core import mail

from newsletter.transports.esp import EspTransport, api_receipt, as_django_message
from newsletter.transports.protocol import send_in_order
from newsletter.transports.values import Envelope, Outcome
from newsletter.wire.message import compile_message
from tests.transports.messages import send


@pytest.fixture
def esp(monkeypatch):
    mail.outbox = []
    return EspTransport("test")


def answer_with(monkeypatch, response) -> None:
    """Make anymail's test backend answer like that."""

    def prepared(sent: Envelope):
        message = as_django_message(sent)
        message.anymail_test_response = response
        return message

    monkeypatch.setattr("newsletter.transports.esp.as_django_message", prepared)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("sent", Outcome.ACCEPTED),
        ("queued", Outcome.ACCEPTED),
        ("invalid", Outcome.PERMANENT),
        ("rejected", Outcome.PERMANENT),
        ("failed", Outcome.TEMPORARY),
        ("unknown", Outcome.UNKNOWN),
    ],
)
def test_the_providers_word_for_a_recipient_becomes_an_outcome(esp, monkeypatch, status, outcome):
    found = AnymailRecipientStatus(message_id="1", status=status)
    answer_with(monkeypatch, {"recipient_status": {"ada@example.org": found}})

    (receipt,) = send(esp, "ada@example.org")

    assert receipt.outcome is outcome


def api_error(code: int) -> AnymailAPIError:
    response = SimpleNamespace(reason="why", text="", json=dict)
    return AnymailAPIError("said no", status_code=code, response=response)


@pytest.mark.parametrize(
    ("code", "outcome", "about_the_line"),
    [
        (401, Outcome.OURS, True),
        (403, Outcome.OURS, True),
        (400, Outcome.OURS, False),
        (429, Outcome.TEMPORARY, True),
        (503, Outcome.TEMPORARY, True),
        (500, Outcome.UNKNOWN, False),
        (504, Outcome.UNKNOWN, False),
    ],
)
def test_a_failed_call_becomes_an_outcome(esp, monkeypatch, code, outcome, about_the_line):
    answer_with(monkeypatch, api_error(code))

    (receipt,) = send(esp, "ada@example.org")

    assert (receipt.outcome, receipt.about_the_line) == (outcome, about_the_line)


def test_a_call_that_never_connected_is_about_the_line_and_one_without_answer_is_unknown():
    def failed(kind: type[requests.RequestException]) -> AnymailAPIError:
        both = type("Both", (AnymailRequestsAPIError, kind), {})
        return both("Error posting")

    never = api_receipt(failed(requests.ConnectTimeout))
    lost = api_receipt(failed(requests.ReadTimeout))

    assert (never.outcome, never.about_the_line) == (Outcome.TEMPORARY, True)
    assert lost.outcome is Outcome.UNKNOWN


def test_a_refused_connection_is_found_under_its_wrappings():
    session = requests.Session()
    try:
        session.get("http://127.0.0.1:1/", timeout=2)
    except requests.RequestException as error:
        wrapped = type("Both", (AnymailRequestsAPIError, type(error)), {})("Error posting")
        wrapped.__cause__ = error

    receipt = api_receipt(wrapped)

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.TEMPORARY, True)


def test_a_feature_that_the_provider_lacks_is_ours(esp, monkeypatch):
    def unsupported(*_args, **_kwargs):
        raise AnymailUnsupportedFeature("cannot switch off tracking")

    monkeypatch.setattr(esp._backend, "send_messages", unsupported)
    (receipt,) = send(esp, "ada@example.org")

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.OURS, True)


def test_a_finished_message_reaches_the_provider_with_its_parts_and_headers(esp):
    compiled = compile_message(
        [
            ("From", "Wellread <hello@wellread.example>"),
            ("To", "ada@example.org"),
            ("Subject", "Gesund im Rücken"),
            ("Message-ID", "<1.2.3@wellread.example>"),
            ("List-Unsubscribe", "<https://wellread.example/unsubscribe/" + "x" * 60 + "/>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Reply-To", "team@wellread.example"),
        ],
        "Grüße",
        "<p>Grüße</p>",
        boundary="b",
    )
    send_in_order(esp, [Envelope("b@wellread.example", "ada@example.org", compiled.fill({}))])

    (message,) = mail.outbox
    assert message.to == ["ada@example.org"]
    assert message.cc == message.bcc == []
    assert message.subject == "Gesund im Rücken"
    assert message.body.strip() == "Grüße"
    assert message.alternatives[0].content.strip() == "<p>Grüße</p>"
    assert message.reply_to == ["team@wellread.example"]
    headers = message.extra_headers
    assert headers["Message-ID"] == "<1.2.3@wellread.example>"
    assert headers["List-Unsubscribe"].startswith("<https://wellread.example/unsubscribe/xxx")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_nothing_is_measured_and_nothing_is_tagged(esp):
    """Invariants 11 and 12: no pixel, no rewritten link, no tag that tells of health."""
    send(esp, "ada@example.org")

    params = mail.outbox[0].anymail_test_params
    assert params["track_opens"] is False
    assert params["track_clicks"] is False
    assert "tags" not in params and "metadata" not in params
