"""TLS, STARTTLS and AUTH, against a relay with a certificate of our own making."""

import ssl
from pathlib import Path

import pytest

from newsletter.transports.errors import Misconfigured
from newsletter.transports.protocol import Outgoing, send_in_order
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.smtp.connect import connect
from newsletter.transports.values import Outcome
from tests.transports import certificates
from tests.transports.fault_server import FaultServer
from tests.transports.judging import judge, takes_every_message_over_eight
from tests.transports.messages import envelope
from tests.transports.test_lines import messages, send_all


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certified, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified[0]))
    return certified[1]


def to(server: FaultServer, options: str = "timeout=10", *, login: str = "") -> SmtpTransport:
    return SmtpTransport(Relay.from_url(server.url(options, login=login)))


def test_eight_tls_lines_take_every_message_once(trusted: ssl.SSLContext):
    with FaultServer(context=trusted, implicit_tls=True) as server:
        takes_every_message_over_eight(to(server), server)


def test_messages_larger_than_any_buffer_arrive_whole_inside_tls(trusted: ssl.SSLContext):
    sent = messages(3, octets=900_000)
    with FaultServer(context=trusted, implicit_tls=True) as server:
        transport = to(server, "lines=1&timeout=20")
        judge(sent, send_all(transport, sent), server.book, drops=0)
        transport.close()


@pytest.mark.parametrize("direction", ["hears", "says"])
@pytest.mark.parametrize("after", [0, 30, 90, 150, 400, 480, 600])
def test_a_lost_tls_line_tells_no_lies(trusted: ssl.SSLContext, direction: str, after: int):
    sent = messages(2, octets=72)
    with FaultServer(context=trusted, implicit_tls=True, **{direction: [after]}) as server:
        transport = to(server, "lines=1&timeout=5")
        judge(sent, send_all(transport, sent), server.book, drops=max(1, server.drops))
        transport.close()


def test_what_a_relay_offers_is_asked_again_inside_tls(trusted: ssl.SSLContext):
    with FaultServer(
        context=trusted, offers=("STARTTLS", "SIZE 10"), offers_inside=("SIZE 70000", "8BITMIME")
    ) as server:
        line, offer = connect(Relay.from_url(server.url("starttls=yes&timeout=5")))
        line.close()

        assert (offer.limit, offer.eight_bit) == (70_000, True)
        said = [(inside, said.split()[0].upper()) for inside, said in server.hellos]
        assert said == [(False, "EHLO"), (False, "STARTTLS"), (True, "EHLO")]


def test_what_stands_behind_starttls_in_plain_text_counts_for_nothing(trusted: ssl.SSLContext):
    """RFC 3207 section 5: an answer to the EHLO that is only sent inside (CVE-2011-0411)."""
    with FaultServer(
        context=trusted, offers=("STARTTLS",), offers_inside=("SIZE 70000",),
        behind_starttls=b"250-evil\r\n250-SMTPUTF8\r\n250 SIZE 7\r\n",
    ) as server:  # fmt: skip
        line, offer = connect(Relay.from_url(server.url("starttls=yes&timeout=5")))
        line.close()

    assert (offer.limit, offer.smtputf8) == (70_000, False)


def test_mail_goes_by_starttls(trusted: ssl.SSLContext):
    with FaultServer(context=trusted, offers=("STARTTLS",), offers_inside=("SIZE 0",)) as server:
        transport = to(server, "starttls=yes&timeout=5")
        (receipt,) = send_in_order(transport, [envelope()])
        transport.close()

        assert receipt.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("offers", [("SIZE 0",), ("STARTTLS",)], ids=["stripped", "refused"])
def test_there_is_no_falling_back_to_plain_text(offers):
    """Somebody in between took STARTTLS out of the offer, or answers it with an error."""
    with FaultServer(offers=offers) as server:
        transport = to(server, "starttls=yes&timeout=5", login="ada:secret@")
        (receipt,) = send_in_order(transport, [envelope()])

        assert (receipt.outcome, receipt.about_the_line) == (Outcome.OURS, True)
        assert server.book.committed == []
        assert not any("AUTH" in said.upper() for _, said in server.hellos)


def test_a_certificate_that_nobody_vouches_for_is_refused(certified):
    with FaultServer(context=certified[1], implicit_tls=True) as server:
        transport = to(server, login="ada:secret@")
        with pytest.raises(Misconfigured, match="certificate") as caught:
            transport.open()

        assert "secret" not in str(caught.value)
        assert server.hellos == []


def test_a_certificate_of_another_name_is_refused(tmp_path, monkeypatch):
    authority, context = certificates.make(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with (
        FaultServer(context=context, implicit_tls=True) as server,
        pytest.raises(Misconfigured, match="certificate"),
    ):
        to(server).open()


@pytest.mark.parametrize("offered", ["AUTH LOGIN PLAIN", "AUTH PLAIN", "AUTH LOGIN"])
def test_the_right_password_opens_the_line(trusted: ssl.SSLContext, offered: str):
    with FaultServer(
        context=trusted, implicit_tls=True, offers=(offered,), user=b"ada",
        password="pässwörd:/?".encode(),
    ) as server:  # fmt: skip
        transport = to(server, login="ada:p%C3%A4ssw%C3%B6rd%3A%2F%3F@")
        (receipt,) = send_in_order(transport, [envelope()])
        transport.close()

        assert receipt.outcome is Outcome.ACCEPTED
        assert all(inside for inside, said in server.hellos)


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_relay_may_ask_for_what_came_with_auth_plain(trusted: ssl.SSLContext, password: str):
    """Old ones overlook the initial response (RFC 4954 section 4)."""
    with FaultServer(
        context=trusted, implicit_tls=True, offers=("AUTH PLAIN",), user=b"ada", password=b"right",
        asks_for_plain=True,
    ) as server:  # fmt: skip
        transport = to(server, login=f"ada:{password}@")
        (receipt,) = send_in_order(transport, [envelope()])
        transport.close()

        fine = password == "right"
        assert receipt.outcome is (Outcome.ACCEPTED if fine else Outcome.OURS)


@pytest.mark.parametrize("offered", ["AUTH PLAIN", "AUTH LOGIN", "AUTH GSSAPI", "SIZE 0"])
def test_a_login_that_is_not_taken_is_ours_and_tried_once(trusted: ssl.SSLContext, offered: str):
    """Wrong tries lock accounts, and nothing goes out without the login."""
    with FaultServer(
        context=trusted, implicit_tls=True, offers=(offered,), user=b"ada", password=b"right"
    ) as server:
        transport = to(server, login="ada:wrong@")
        answers = dict(transport.send(Outgoing(key, envelope()) for key in range(5)))

        assert {one.outcome for one in answers.values()} == {Outcome.OURS}
        assert all(one.about_the_line for one in answers.values())
        assert sum("AUTH" in said for _, said in server.hellos) <= 1
        assert server.book.committed == []
        assert "wrong" not in " ".join(one.reply for one in answers.values())
