"""The APIs of four ESPs: what each reader then has in the mailbox, and what when it goes wrong.

tests/transports/esp_apis.py says what they make of a request.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.esp import transport as esp_transport
from newsletter.transports.esp.providers import PROVIDERS, provider_of
from newsletter.transports.protocol import Answered, Outgoing
from newsletter.transports.values import Envelope, Outcome, Receipt
from newsletter.wire.headers import format_recipient
from newsletter.wire.message import CompiledMessage, boundary_for, compile_message
from newsletter.wire.slots import Slot, mark
from tests.transports.esp_apis import ESPS, EspApis

BATCHING = [esp for esp in ESPS if PROVIDERS[esp].most > 1]
NAMES = ["Ada", "Bo", "Zoë", "O'Neill & <Söhne>", "Mary Ann", "", "%x%", "{{ name }}"]


@pytest.fixture(params=ESPS)
def esp(request: pytest.FixtureRequest, apis: EspApis) -> Iterator[EspTransport]:
    yield from transport(request.param)


@pytest.fixture(params=BATCHING)
def batching(request: pytest.FixtureRequest, apis: EspApis) -> Iterator[EspTransport]:
    yield from transport(request.param)


def transport(name: str) -> Iterator[EspTransport]:
    # Brevo's account alone can say that nothing is measured; the others are told in each call.
    made = EspTransport(name, tracking_off="brevo")
    yield made
    made.close()


def copy(
    number: int, *, html: bool = True, subject: str = "Gesund & munter", name: str | None = None
) -> Envelope:
    """Reader `number`'s copy of one issue."""
    name = NAMES[number % len(NAMES)] if name is None else name
    address = f"reader{number}@example.org"
    content = issue(html, subject).fill(
        {
            Slot.TO: format_recipient(name, address),
            Slot.MESSAGE_ID: message_id(number),
            Slot.UNSUBSCRIBE_URL: url(number),
            Slot.FIRST_NAME: name,
        }
    )
    return Envelope("bounces@clinic.example", address, content)


@cache
def issue(html: bool, subject: str) -> CompiledMessage:
    link, name = mark(Slot.UNSUBSCRIBE_URL), mark(Slot.FIRST_NAME, "there")
    text = f"Hello {name},\n\n.walk = more\nGrüße\n{link}\n"
    page = f'<p>Hello {name}.</p>\n<p>Grüße</p>\n<a href="{link}">End</a>\n' if html else ""
    return compile_message(
        [
            ("From", "=?utf-8?q?R=C3=BCckenklinik?= <hello@clinic.example>"),
            ("To", mark(Slot.TO)),
            ("Subject", subject),
            ("Date", "Mon, 23 Nov 2026 07:00:00 +0000"),
            ("Message-ID", mark(Slot.MESSAGE_ID)),
            ("List-Unsubscribe", f"<{link}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Feedback-ID", "i1:n1:issue:clinicexam"),
        ],
        text,
        page,
        boundary=boundary_for(text, page),
    )


def message_id(number: int) -> str:
    return f"<abc{number}def@clinic.example>"


def url(number: int) -> str:
    return f"https://clinic.example/unsubscribe/Tok-en_{number:029}/"


def send(made: EspTransport, *envelopes: Envelope) -> list[Receipt]:
    answers = list(made.send(Outgoing(key, one) for key, one in enumerate(envelopes)))
    assert sorted(answer.key for answer in answers) == list(range(len(envelopes)))
    return [receipt for _, receipt in sorted(answers)]


def outcomes(receipts: list[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


# --- What arrives ------------------------------------------------------------------------


@pytest.mark.parametrize("html", [True, False])
def test_each_reader_gets_the_very_copy_that_was_made_for_them(
    esp: EspTransport, apis: EspApis, html: bool
):
    readers = range(20)

    receipts = send(esp, *(copy(number, html=html) for number in readers))

    assert outcomes(receipts) == [Outcome.ACCEPTED] * 20
    arrived = {each.to: each for each in apis.arrived}
    assert len(apis.arrived) == len(arrived) == 20
    for number in readers:
        mine = arrived[f"reader{number}@example.org"]
        name = NAMES[number % len(NAMES)] or "there"
        assert mine.text.rstrip("\n") == (f"Hello {name},\n\n.walk = more\nGrüße\n{url(number)}")
        assert ("<p>Grüße</p>" in mine.html) is html
        assert (f'<a href="{url(number)}">End</a>' in mine.html) is html
        headers = {key.lower(): value for key, value in mine.headers.items()}
        assert headers["list-unsubscribe"] == f"<{url(number)}>"
        assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert headers["feedback-id"] == "i1:n1:issue:clinicexam"
        if esp.name != "esp-amazon_ses":  # which has one of its own
            assert headers["message-id"] == message_id(number)


def test_no_reader_is_shown_another_ones_anything(esp: EspTransport, apis: EspApis):
    """Invariant 8, from what the APIs would make of the requests."""
    send(esp, *(copy(number) for number in range(40)))

    for mine in apis.arrived:
        assert mine.shown.count("@") == 1
        told = f"{mine.shown} {mine.text} {mine.html} {mine.headers}"
        assert set(re.findall(r"reader\d+@", told)) <= {f"{mine.to.partition('@')[0]}@"}
        assert len(set(re.findall(r"Tok-en_\d{29}", told))) == 1
        if "amazonses" not in told:
            assert len(set(re.findall(r"abc\d+def", told))) == 1
    for request in apis.requests:
        assert not re.search(r"\bb?cc\b", request.body.decode(), re.IGNORECASE)


def test_a_call_holds_no_tag_no_metadata_and_switches_measuring_off(
    esp: EspTransport, apis: EspApis
):
    """Invariants 11 and 12."""
    send(esp, copy(1), copy(2))

    for request in apis.requests:
        body = request.body.decode().lower()
        assert not re.search(r'"tag|o%3atag|metadata|"v%3a|template|x-mailin', body)
        if request.esp == "mailgun":
            assert request.data["o:tracking-opens"] == request.data["o:tracking-clicks"] == ["no"]
        if request.esp == "postmark":
            messages = request.data if isinstance(request.data, list) else [request.data]
            assert {(each["TrackOpens"], each["TrackLinks"]) for each in messages} == {
                (False, "None")
            }


def test_amazon_is_given_the_compiled_bytes_as_they_are(apis: EspApis):
    import base64

    made = EspTransport("amazon_ses")
    send(made, copy(3))
    made.close()

    raw = apis.requests[0].data["Content"]["Raw"]["Data"]
    assert base64.b64decode(raw) == copy(3).content


# --- How many in one call ----------------------------------------------------------------


def test_letters_that_are_ready_together_go_out_in_one_call(batching: EspTransport, apis: EspApis):
    send(batching, *(copy(0 if number == 4 else number) for number in [0, 8, 16, 24, 32]))

    assert len(apis.arrived) == 5
    assert len(apis.requests) == 1


def test_a_call_holds_no_more_than_the_esp_takes(
    batching: EspTransport, apis: EspApis, monkeypatch: pytest.MonkeyPatch
):
    limits = PROVIDERS[batching.name.removeprefix("esp-")]
    assert limits.most in (500, 1000)

    receipts = send(batching, *(copy(8 * number) for number in range(limits.most + 3)))

    assert set(outcomes(receipts)) == {Outcome.ACCEPTED}
    assert len(apis.requests) == 2
    assert len(set(apis.recipients)) == limits.most + 3


def test_letters_too_unlike_each_other_go_out_apart(batching: EspTransport, apis: EspApis):
    send(batching, copy(0), copy(8, subject="Another"), copy(16, html=False), copy(24, html=False))

    assert len(apis.requests) == 3
    assert len(apis.arrived) == 4


def test_one_address_twice_is_two_calls(batching: EspTransport, apis: EspApis):
    receipts = send(batching, copy(1), copy(1))

    assert outcomes(receipts) == [Outcome.ACCEPTED] * 2
    assert len(apis.requests) == 2


def test_a_call_stays_under_the_octets_that_the_esp_takes():
    provider = provider_of("postmark")
    from newsletter.transports.esp.letters import opened

    letters = [opened(Outgoing(number, copy(number))) for number in range(10)]
    size = len(letters[0].content)
    object.__setattr__(provider, "octets", size * 3 + 50)
    try:
        assert provider.group(letters) in (2, 3)
    finally:
        object.__setattr__(provider, "octets", 20_000_000)


def test_what_a_reader_is_called_cannot_reach_into_anothers_letter(apis: EspApis):
    """A name that looks like one of Mailgun's own marks goes out where nobody replaces any."""
    made = EspTransport("mailgun")

    send(made, copy(8), copy(1, name="%recipient.t0%"), copy(16))
    made.close()

    (mine,) = [each for each in apis.arrived if each.to == "reader1@example.org"]
    assert "Hello %recipient.t0%," in mine.text
    with_mine = [each.data for each in apis.requests if "reader1@" in str(each.data["to"])]
    assert [("recipient-variables" in data, len(data["to"])) for data in with_mine] == [(False, 1)]


def test_calls_go_side_by_side_and_never_more_than_agreed(apis: EspApis):
    made = EspTransport("amazon_ses")
    apis.delay = 0.05

    send(made, *(copy(number) for number in range(24)))
    made.close()

    assert 2 <= apis.busiest <= PROVIDERS["amazon_ses"].connections


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
