"""The APIs of four ESPs: what each reader then has in the mailbox.

tests/transports/esp_apis.py says what they make of a request.
"""

import base64
import dataclasses
import re

import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.esp.letters import opened
from newsletter.transports.esp.providers import PROVIDERS, provider_of
from newsletter.transports.protocol import Outgoing
from newsletter.transports.values import Outcome
from tests.transports.esp_apis import EspApis
from tests.transports.esp_letters import NAMES, copy, message_id, outcomes, send, url

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


def test_a_name_of_that_kind_in_to_alone_goes_alone_too():
    plain = opened(Outgoing(0, copy(8)))
    marked = dataclasses.replace(plain, to='"%recipient.t0%" <reader8@example.org>')

    assert provider_of("mailgun").can_share(plain)
    assert not provider_of("mailgun").can_share(marked)


def test_calls_go_side_by_side_and_never_more_than_agreed(apis: EspApis):
    made = EspTransport("amazon_ses")
    apis.delay = 0.05

    send(made, *(copy(number) for number in range(24)))
    made.close()

    assert 2 <= apis.busiest <= PROVIDERS["amazon_ses"].connections
