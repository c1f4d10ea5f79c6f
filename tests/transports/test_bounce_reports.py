"""What a relay that offers DSN (RFC 3461) is asked for: bounces of a known form, and short ones."""

from typing import NamedTuple

import pytest

from newsletter.transports.relay import Relay
from newsletter.transports.return_path import return_path_maker
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.smtp.envelope import commands
from newsletter.transports.values import Envelope, Outcome
from tests.transports import certificates
from tests.transports.fault_server import FaultServer
from tests.transports.messages import content, send
from tests.transports.table import LOCKSTEP, OFFER, run, saying

SIGNED = return_path_maker(3, b"k" * 32, "bounces.wellread.example")(4711)
ASKING = OFFER._replace(dsn=True)


class Opening(NamedTuple):
    mail: bytes
    recipient: bytes
    data: bytes


def opening(sender: str, recipient: str, offer=ASKING) -> Opening:
    found = commands(Envelope(sender, recipient, content()), offer)
    assert isinstance(found, bytes)
    return Opening(*found.splitlines(keepends=True))


def test_a_bounce_comes_without_the_mail_and_names_copy_and_reader():
    asked = opening(SIGNED, "ada@example.org")

    # The return path is as it was: by it alone a bounce is believed.
    name = SIGNED.removeprefix("bounce+").partition("@")[0]
    assert asked.mail.startswith(b"MAIL FROM:<%s> SIZE=" % SIGNED.encode())
    assert asked.mail.endswith(b" RET=HDRS ENVID=%s\r\n" % name.encode())
    assert asked.recipient == (
        b"RCPT TO:<ada@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ada@example.org\r\n"
    )


def test_who_is_not_offered_it_is_not_asked():
    asked = opening(SIGNED, "ada@example.org", OFFER)

    assert asked.mail.count(b" ") == 2
    assert asked.recipient == b"RCPT TO:<ada@example.org>\r\n"


def test_what_means_something_to_smtp_is_written_in_xtext():
    asked = opening("bounces@wellread.example", "ada+pain=back@example.org")

    assert asked.recipient.startswith(b"RCPT TO:<ada+pain=back@example.org> ")
    assert asked.recipient.endswith(b" ORCPT=rfc822;ada+2Bpain+3Dback@example.org\r\n")
    # A sender that names no copy is no name for one.
    assert asked.mail.endswith(b" RET=HDRS\r\n")


def test_nothing_bounces_to_the_null_return_path():
    asked = opening("", "ada@example.org")

    assert b"RET" not in asked.mail
    assert asked.recipient == b"RCPT TO:<ada@example.org>\r\n"


def test_an_address_outside_ascii_is_not_written_again():
    asked = opening(SIGNED, "jürgen@example.org")

    assert b" SMTPUTF8" in asked.mail and b" RET=HDRS ENVID=3-4711-" in asked.mail
    assert asked.recipient == "RCPT TO:<jürgen@example.org> NOTIFY=FAILURE,DELAY\r\n".encode()


@pytest.mark.parametrize("offer", [ASKING, LOCKSTEP._replace(dsn=True)])
def test_a_strict_relay_takes_every_message_once_while_asked(offer):
    script = saying("RCPT", b"550 5.1.1 gone", "bo@")

    receipts, book, _ = run(script, offer=offer)

    assert [one.outcome for one in receipts] == [
        Outcome.ACCEPTED, Outcome.PERMANENT, Outcome.ACCEPTED
    ]  # fmt: skip
    assert book.offences == []


@pytest.mark.parametrize(
    ("offers", "options", "asked"),
    [
        (("SIZE", "DSN"), "timeout=10", True),
        (("SIZE",), "timeout=10", False),
        # For a relay that offers it and then refuses what it was asked.
        (("SIZE", "DSN"), "timeout=10&dsn=no", False),
    ],
)
def test_the_latest_ehlo_and_the_url_decide(offers, options, asked):
    heard: list[str] = []

    def listening(step: str, text: str) -> None:
        heard.append(text)

    with FaultServer(offers=offers, script=listening) as server:
        transport = SmtpTransport(Relay.from_url(server.url(options)))
        receipts = send(transport, "ada@example.org")
        transport.close()

    assert [one.outcome for one in receipts] == [Outcome.ACCEPTED]
    assert any("RET=HDRS" in text for text in heard) is asked
    assert any("NOTIFY=FAILURE,DELAY" in text for text in heard) is asked


def test_what_was_offered_in_plain_text_does_not_count_inside_tls(tmp_path, monkeypatch):
    authority, context = certificates.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    heard: list[str] = []
    with FaultServer(
        context=context,
        offers=("STARTTLS", "DSN"),
        offers_inside=("SIZE",),
        script=lambda step, text: heard.append(text),
    ) as server:
        transport = SmtpTransport(Relay.from_url(server.url("timeout=10&starttls=yes")))
        send(transport, "ada@example.org")
        transport.close()

    assert len(heard) >= 3
    assert not any("RET=" in text or "NOTIFY=" in text for text in heard)
