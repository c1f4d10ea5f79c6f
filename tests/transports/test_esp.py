"""What an ESP's words mean, and what is refused before any is called."""

import sys
import time
from types import SimpleNamespace

import anymail.backends  # noqa: F401  # there before a test takes a part of it away
import pytest
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailRecipientStatus
from django.core import mail

from newsletter.transports.errors import Misconfigured
from newsletter.transports.esp import EspTransport
from newsletter.transports.esp import transport as esp_transport
from newsletter.transports.esp.answers import LONGEST_WAIT, SHORTEST_WAIT, WAIT, verdict
from newsletter.transports.esp.letters import as_django_message
from newsletter.transports.values import Envelope, Outcome
from newsletter.wire.message import compile_message
from tests.transports.messages import envelope, outgoing, send


@pytest.fixture
def esp():
    mail.outbox = []
    transport = EspTransport("test")
    yield transport
    transport.close()


def answer_with(monkeypatch, response) -> None:
    """Make anymail's test backend answer like that."""

    def prepared(letters, **kwargs):
        message = as_django_message(letters, **kwargs)
        message.anymail_test_response = response
        return message

    monkeypatch.setattr(esp_transport, "as_django_message", prepared)


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


def test_an_answer_that_names_nobody_leaves_it_unknown(esp, monkeypatch):
    answer_with(monkeypatch, {"recipient_status": {}})

    (receipt,) = send(esp, "ada@example.org")

    assert receipt.outcome is Outcome.UNKNOWN


def api_error(code: int, body: object = None, headers: dict[str, str] | None = None):
    response = requests.Response()
    response.status_code, response.headers = code, requests.structures.CaseInsensitiveDict(headers)
    response._content = requests.compat.json.dumps(body or {}).encode()
    return AnymailRequestsAPIError("said no", response=response, backend=None)


def amazon_error(name: str, status: int = 400) -> AnymailAPIError:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}}
    response = {"Error": {"Code": name, "Message": "why"}, "ResponseMetadata": metadata}
    return AnymailAPIError(f"An error occurred ({name})", response=response)


@pytest.mark.parametrize(
    ("code", "outcome", "about_the_line", "nothing_went"),
    [
        (400, Outcome.OURS, False, True),
        (401, Outcome.OURS, True, True),
        (402, Outcome.OURS, True, True),
        (403, Outcome.OURS, True, True),
        (404, Outcome.OURS, False, True),
        (408, Outcome.TEMPORARY, True, True),
        (413, Outcome.OURS, False, True),
        (425, Outcome.TEMPORARY, True, True),
        (429, Outcome.TEMPORARY, True, True),
        (500, Outcome.UNKNOWN, False, False),
        (502, Outcome.UNKNOWN, False, False),
        (503, Outcome.TEMPORARY, True, True),
        (504, Outcome.UNKNOWN, False, False),
        (302, Outcome.UNKNOWN, False, False),
    ],
)
def test_a_failed_call_becomes_an_outcome(code, outcome, about_the_line, nothing_went):
    found = verdict(api_error(code))

    assert (found.receipt.outcome, found.receipt.about_the_line) == (outcome, about_the_line)
    assert found.nothing_went is nothing_went


@pytest.mark.parametrize(
    ("name", "status", "outcome", "about_the_line"),
    [
        ("TooManyRequestsException", 429, Outcome.TEMPORARY, True),
        ("ThrottlingException", 400, Outcome.TEMPORARY, True),
        ("LimitExceededException", 400, Outcome.OURS, True),
        ("SendingPausedException", 400, Outcome.OURS, True),
        ("MailFromDomainNotVerifiedException", 400, Outcome.OURS, True),
        ("MessageRejected", 400, Outcome.OURS, False),
        ("InternalFailure", 500, Outcome.UNKNOWN, False),
    ],
)
def test_amazons_names_become_outcomes_too(name, status, outcome, about_the_line):
    receipt = verdict(amazon_error(name, status)).receipt

    assert (receipt.outcome, receipt.about_the_line) == (outcome, about_the_line)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"x-sib-ratelimit-reset": "12"}, 12),
        ({"Retry-After": "999999"}, LONGEST_WAIT),
        ({"Retry-After": "-3"}, SHORTEST_WAIT),
        ({"Retry-After": "soon"}, WAIT),
        ({"Retry-After": "nan"}, WAIT),
        ({}, WAIT),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_how_long_to_leave_it_alone_is_read_from_the_answer(code, headers, seconds):
    assert verdict(api_error(code, headers=headers)).wait == seconds


def test_a_date_to_come_back_at_is_read_too():
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))

    assert 80 < verdict(api_error(429, headers={"Retry-After": later})).wait <= 90


def test_what_the_api_said_is_kept_without_the_address():
    said = {"message": "Domain of hello@clinic.example is not verified"}

    receipt = verdict(api_error(400, said)).receipt

    assert receipt.reply == "said no Domain of …@clinic.example is not verified"


@pytest.mark.parametrize("payload", [b"<html>", b"[1]", b'{"message": {"a": 1}}', b""])
def test_an_answer_that_is_not_what_it_should_be_does_no_harm(payload):
    error = api_error(400)
    error.response._content = payload

    assert verdict(error).receipt.outcome is Outcome.OURS


def test_a_call_that_never_connected_is_about_the_line_and_one_without_answer_is_unknown():
    def failed(kind: type[requests.RequestException]) -> AnymailAPIError:
        both = type("Both", (AnymailRequestsAPIError, kind), {})
        return both("Error posting")

    never, lost = verdict(failed(requests.ConnectTimeout)), verdict(failed(requests.ReadTimeout))

    assert (never.receipt.outcome, never.receipt.about_the_line) == (Outcome.TEMPORARY, True)
    assert (lost.receipt.outcome, lost.nothing_went) == (Outcome.UNKNOWN, False)


@pytest.mark.parametrize(
    "error", [AnymailUnsupportedFeature("no such thing"), AnymailConfigurationError("no key")]
)
def test_a_feature_or_a_key_that_is_missing_is_ours(esp, monkeypatch, error):
    backend = SimpleNamespace(open=lambda: None, close=lambda: None)
    backend.send_messages = lambda messages: (_ for _ in ()).throw(error)
    monkeypatch.setattr(esp, "_backend", lambda: backend)

    (receipt,) = send(esp, "ada@example.org")

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.OURS, True)


def test_a_finished_message_reaches_the_provider_with_its_parts_and_headers(esp):
    compiled = compile_message(
        [
            ("From", '"Klinik, die" <hello@wellread.example>'),
            ("To", "=?utf-8?q?Zo=C3=AB=2C?= =?utf-8?q?_die?= <ada@example.org>"),
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
    sent = Envelope("b@wellread.example", "ada@example.org", compiled.fill({}))
    list(esp.send(outgoing([sent])))

    (message,) = mail.outbox
    assert message.to == ['"Zoë, die" <ada@example.org>']
    assert message.from_email == '"Klinik, die" <hello@wellread.example>'
    assert message.cc == message.bcc == []
    assert message.subject == "Gesund im Rücken"
    assert message.body == "Grüße"
    assert message.alternatives[0].content == "<p>Grüße</p>"
    assert message.reply_to == ["team@wellread.example"]
    headers = message.extra_headers
    assert headers["Message-ID"] == "<1.2.3@wellread.example>"
    assert headers["List-Unsubscribe"] == "<https://wellread.example/unsubscribe/" + "x" * 60 + "/>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_nothing_is_measured_and_nothing_is_tagged(settings):
    """Invariants 11 and 12, whatever somebody wrote into anymail's defaults."""
    mail.outbox = []
    settings.ANYMAIL = {
        "SEND_DEFAULTS": {
            "tags": ["herniated-disk"], "metadata": {"reader": 7}, "track_opens": True,
            "esp_extra": {"stream": "bulk"},
        }
    }  # fmt: skip
    transport = EspTransport("test")

    send(transport, "ada@example.org")
    transport.close()

    params = mail.outbox[0].anymail_test_params
    assert params["track_opens"] is False
    assert params["track_clicks"] is False
    assert not {"tags", "metadata", "merge_metadata", "template_id"} & params.keys()
    assert params["stream"] == "bulk"


def test_an_address_that_no_esp_carries_is_refused_and_nobody_is_called(esp):
    """RFC 6531: refused clearly, never rewritten."""
    mail.outbox = []
    refused, sent = send(esp, "jürgen@example.org", "ada@bücher.example")

    assert (refused.outcome, refused.enhanced) == (Outcome.PERMANENT, "5.6.7")
    assert sent.outcome is Outcome.ACCEPTED
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("esp", ["brevo", "resend", "amazon_ses"])
def test_an_esp_that_measures_by_its_account_sends_only_once_that_is_off(esp, settings):
    """Invariant 12: no call can switch it off there."""
    settings.ANYMAIL = {
        "BREVO_API_KEY": "key",
        "RESEND_API_KEY": "key",
        "AMAZON_SES_CONFIGURATION_SET_NAME": "tracked",
    }

    with pytest.raises(Misconfigured, match="ESP_TRACKING_OFF"):
        EspTransport(esp)
    with pytest.raises(Misconfigured, match="ESP_TRACKING_OFF"):
        EspTransport(esp, tracking_off="postmark")
    assert EspTransport(esp, tracking_off=esp).name == f"esp-{esp}"


def test_a_package_that_is_missing_is_named(monkeypatch):
    for package in ("anymail.backends", "newsletter.transports.esp"):
        monkeypatch.delitem(sys.modules, f"{package}.amazon_ses", raising=False)
        monkeypatch.delattr(sys.modules[package], "amazon_ses", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)

    with pytest.raises(Misconfigured, match="boto3"):
        EspTransport("amazon_ses")


def test_once_it_is_off_in_the_account_no_call_speaks_of_it():
    mail.outbox = []
    transport = EspTransport("test", tracking_off="Test")
    send(transport, "ada@example.org")
    transport.close()

    assert not {"track_opens", "track_clicks"} & mail.outbox[0].anymail_test_params.keys()


def test_a_letter_is_opened_once_and_its_envelope_kept(esp):
    assert [answer.key for answer in esp.send(outgoing([envelope(), envelope()]))] == [0, 1]
