"""EMAIL_URL, as people write it."""

import pytest

from newsletter.transports.errors import Misconfigured
from newsletter.transports.relay import Relay, relays_from


def test_a_relay_on_this_machine_needs_no_tls_and_may_carry_health_data():
    relay = Relay.from_url("smtp://127.0.0.1:2525")

    assert (relay.host, relay.port) == ("127.0.0.1", 2525)
    assert not relay.starttls and not relay.tls
    assert relay.health


def test_a_relay_elsewhere_must_speak_tls_and_may_not_carry_health_data_unasked():
    relay = Relay.from_url("smtp://relay.example")

    assert relay.port == 25
    assert relay.starttls
    assert not relay.health


def test_health_and_tls_can_be_said():
    relay = Relay.from_url("smtp://relay:25?starttls=no&health=yes")

    assert not relay.starttls
    assert relay.health


def test_smtps_speaks_tls_from_the_first_byte():
    relay = Relay.from_url(
        "smtps://us%40er:p%2Fw%3F@relay.example?timeout=20&hello=mail.us.example"
    )

    assert relay.tls and not relay.starttls
    assert relay.port == 465
    assert (relay.user, relay.password) == ("us@er", "p/w?")
    assert (relay.timeout, relay.hello) == (20.0, "mail.us.example")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example",
        "http://relay.example",
        "smtp://",
        "smtp://relay.example:port",
        "smtp://relay.example:99999",
        "smtp://relay.example?starttls=perhaps",
        "smtp://relay.example?timeout=soon",
        "smtp://relay.example?timeout=0",
        "smtp://relay.example?timeout=nan",
        "smtp://relay.example?tls=yes",
        "smtp://relay.example?lines=0",
        "smtp://relay.example?lines=many",
        "smtp://relay.example?messages=-1",
        "smtp://relay.example?priority=0",
        "smtp://relay.example?weight=1.5",
        "smtp://relay.example?pipelining=perhaps",
        "smtp://relay.example?dsn=perhaps",
        "smtp://user:secret@relay.example?starttls=no",
        "smtp://relay..example",
        "smtp://" + "a" * 64 + ".example",
        "smtp://relay.example?hello=b%C3%BCcher.example",
        "smtp://relay.example?hello=us%0D%0AMAIL",
        "smtp://relay.example?hello=us%20two",
    ],
)
def test_a_url_that_cannot_be_right_is_refused_in_words(url: str):
    with pytest.raises(Misconfigured) as caught:
        Relay.from_url(url)

    assert "EMAIL_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_password_is_not_shown():
    assert "secret" not in repr(Relay.from_url("smtps://user:secret@relay.example"))


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n"])
def test_several_relays_stand_in_one_setting(between: str):
    first = "smtps://us:a,b%20c@one.example?lines=16&messages=100"
    second = "smtp://two.example:587?priority=2&weight=3&pipelining=no"

    one, two = relays_from(f"{first}{between}{second}")

    assert (one.host, one.password, one.lines, one.messages) == ("one.example", "a,b c", 16, 100)
    assert (one.priority, one.weight, one.pipelining) == (1, 1, True)
    assert (two.host, two.port, two.priority, two.weight) == ("two.example", 587, 2, 3)
    assert (two.lines, two.messages, two.pipelining) == (8, 0, False)


def test_one_bad_relay_of_several_is_refused():
    with pytest.raises(Misconfigured):
        relays_from("smtp://one.example http://two.example")
