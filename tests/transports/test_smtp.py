"""SMTP against a relay that refuses and hangs up at every step."""

import base64
import socket
import threading

import pytest

from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.protocol import send_in_order
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope, Outcome
from tests.running.smtp import SmtpCatcher
from tests.transports.messages import content, envelope, send


@pytest.fixture
def smtp(smtp_catcher: SmtpCatcher):
    transport = SmtpTransport(Relay.from_url(f"{smtp_catcher.url}?timeout=5"))
    yield transport
    transport.close()


READERS = ["ada@example.org", "bo@example.org", "cy@example.org"]


def send_to(transport: SmtpTransport, *readers: str):
    return send(transport, *(readers or READERS))


def outcomes(receipts) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def test_messages_share_one_connection_and_each_has_one_recipient(smtp, smtp_catcher):
    assert outcomes(send_to(smtp)) == [Outcome.ACCEPTED] * 3

    assert smtp_catcher.connections == 1
    assert [caught.recipients for caught in smtp_catcher.messages] == [(r,) for r in READERS]
    assert smtp_catcher.messages[0].sender == "bounces@wellread.example"


def test_what_arrives_is_what_was_given_byte_for_byte(smtp, smtp_catcher):
    body = b"..\r\n.\r\n.hidden\r\n=2E\r\nlast.\r\n"
    send_in_order(smtp, [envelope(body=body)])

    assert smtp_catcher.messages[0].content == content(body)
    assert b"\r\n..hidden\r\n" in smtp_catcher.messages[0].wire


def test_content_that_begins_with_a_dot_keeps_it(smtp, smtp_catcher):
    send_in_order(smtp, [Envelope("", "ada@example.org", b".dot: x\r\n\r\nbody\r\n")])

    assert smtp_catcher.messages[0].content.startswith(b".dot: x")


@pytest.mark.parametrize(
    ("step", "reply", "outcome", "enhanced"),
    [
        ("RCPT", "550 5.1.1 no such mailbox", Outcome.PERMANENT, "5.1.1"),
        ("RCPT", "550 no such mailbox", Outcome.PERMANENT, ""),
        ("RCPT", "450 4.2.1 greylisted", Outcome.TEMPORARY, "4.2.1"),
        ("RCPT", "550 5.7.1 policy", Outcome.OURS, "5.7.1"),
        ("DATA", "451 4.3.0 later", Outcome.TEMPORARY, "4.3.0"),
        ("DATA", "554 5.5.0 no", Outcome.PERMANENT, "5.5.0"),
        ("CONTENT", "452 4.3.1 full", Outcome.TEMPORARY, "4.3.1"),
        ("CONTENT", "554 5.6.0 not this", Outcome.PERMANENT, "5.6.0"),
        ("CONTENT", "550 5.7.26 unauthenticated", Outcome.OURS, "5.7.26"),
    ],
)
def test_a_refusal_is_for_one_reader_and_the_next_one_is_served(
    smtp, smtp_catcher, step, reply, outcome, enhanced
):
    smtp_catcher.refuse(step, reply, times=1)

    first, second = send_to(smtp, "ada@example.org", "bo@example.org")

    assert (first.outcome, first.code, first.enhanced) == (outcome, int(reply[:3]), enhanced)
    assert not first.about_the_line
    assert second.outcome is Outcome.ACCEPTED
    assert smtp_catcher.recipients == ["bo@example.org"]
    assert smtp_catcher.connections == 1
    # The end of the content ends the transaction, a refused recipient does not.
    assert ("RSET" in smtp_catcher.commands) is (step != "CONTENT")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [("451 4.3.0 later", Outcome.TEMPORARY), ("550 5.1.8 who are you", Outcome.OURS),
     ("553 no such sender", Outcome.OURS)],
)  # fmt: skip
def test_a_refused_sender_is_never_a_readers_fault(smtp, smtp_catcher, reply, outcome):
    smtp_catcher.refuse("MAIL", reply)

    (receipt,) = send_to(smtp, "ada@example.org")

    assert receipt.outcome is outcome
    assert receipt.about_the_line


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_line_dropped_before_the_content_is_temporary(smtp, smtp_catcher, step):
    smtp_catcher.drop(step)

    first, second = send_to(smtp, "ada@example.org", "bo@example.org")

    assert first.outcome is Outcome.TEMPORARY
    assert not first.about_the_line
    assert second.outcome is Outcome.ACCEPTED
    assert smtp_catcher.recipients == ["bo@example.org"]


@pytest.mark.parametrize("after_bytes", [None, 1, 100])
def test_a_line_dropped_once_the_content_goes_out_is_unknown(smtp, smtp_catcher, after_bytes):
    """Invariant 7: never silently "sent" or "failed"."""
    smtp_catcher.drop("CONTENT", after_bytes=after_bytes)

    first, second = send_to(smtp, "ada@example.org", "bo@example.org")

    assert first.outcome is Outcome.UNKNOWN
    assert second.outcome is Outcome.ACCEPTED


def test_a_relay_that_never_answers_the_content_leaves_it_unknown(smtp_catcher):
    transport = SmtpTransport(Relay.from_url(f"{smtp_catcher.url}?timeout=0.3"))
    smtp_catcher.delay = 1.0

    (receipt,) = send_to(transport, "ada@example.org")

    assert receipt.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_worn_out_connection_is_replaced_and_nobody_waits_for_it(smtp, smtp_catcher, step):
    """Relays end a connection after so many messages, with 421 or by hanging up."""
    send_to(smtp, "ada@example.org")
    smtp_catcher.refuse(step, "421 4.7.0 enough for now", times=1)
    (second,) = send_to(smtp, "bo@example.org")
    smtp_catcher.drop(step)
    (third,) = send_to(smtp, "cy@example.org")

    assert outcomes([second, third]) == [Outcome.ACCEPTED] * 2
    assert smtp_catcher.recipients == READERS
    assert smtp_catcher.connections == 3


def test_421_after_the_content_is_a_clear_no(smtp, smtp_catcher):
    smtp_catcher.refuse("CONTENT", "421 4.3.2 shutting down", times=1)

    (receipt,) = send_to(smtp, "ada@example.org")

    assert receipt.outcome is Outcome.TEMPORARY
    assert smtp_catcher.recipients == []


def test_421_on_a_fresh_line_is_about_the_relay(smtp, smtp_catcher):
    smtp_catcher.refuse("MAIL", "421 4.3.2 too busy")

    receipts = send_to(smtp)

    assert all(receipt.about_the_line for receipt in receipts)
    assert outcomes(receipts) == [Outcome.TEMPORARY] * 3
    # One look was enough.
    assert smtp_catcher.connections == 1


def test_without_a_relay_opening_says_so_and_sending_blames_the_line():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = SmtpTransport(Relay.from_url(f"smtp://127.0.0.1:{port}"))

    with pytest.raises(LineDown):
        transport.open()
    receipts = send_to(transport)

    assert all(r.about_the_line and r.outcome is Outcome.TEMPORARY for r in receipts)


@pytest.mark.parametrize(
    ("reply", "error"), [("421 busy", LineDown), ("554 no service", Misconfigured)]
)
def test_a_greeting_that_is_no_welcome(smtp, smtp_catcher, reply, error):
    smtp_catcher.refuse("CONNECT", reply)
    with pytest.raises(error):
        smtp.open()


def test_a_relay_without_starttls_gets_no_mail_in_plain_text(smtp_catcher):
    transport = SmtpTransport(Relay.from_url(f"{smtp_catcher.url}?starttls=yes"))

    with pytest.raises(Misconfigured):
        transport.open()
    (receipt,) = send_to(transport, "ada@example.org")

    assert receipt.outcome is Outcome.OURS
    assert receipt.about_the_line
    assert not [line for line in smtp_catcher.commands if line.startswith("MAIL")]


def test_a_password_that_is_not_taken_is_our_trouble_and_not_repeated(smtp_catcher):
    smtp_catcher.extensions = ("AUTH PLAIN",)
    url = smtp_catcher.url.replace("smtp://", "smtp://user:secret@")
    transport = SmtpTransport(Relay.from_url(url))

    with pytest.raises(Misconfigured) as caught:
        transport.open()

    assert "secret" not in str(caught.value)
    plain = base64.b64encode(b"\0user\0secret").decode()
    assert any(plain in line for line in smtp_catcher.commands)


def test_a_message_over_the_relays_size_is_ours_and_is_not_sent(smtp_catcher):
    smtp_catcher.extensions = ("SIZE 200",)
    transport = SmtpTransport(Relay.from_url(smtp_catcher.url))

    (receipt,) = send_to(transport, "ada@example.org")

    assert (receipt.outcome, receipt.enhanced) == (Outcome.OURS, "5.3.4")
    assert not [line for line in smtp_catcher.commands if line.startswith("MAIL")]


def test_an_address_outside_ascii_goes_only_where_the_relay_can_carry_it(smtp_catcher):
    with_it = SmtpTransport(Relay.from_url(smtp_catcher.url))
    (sent,) = send_to(with_it, "jürgen@example.org")
    with_it.close()
    smtp_catcher.extensions = ("8BITMIME",)
    without = SmtpTransport(Relay.from_url(smtp_catcher.url))
    refused, next_one = send_to(without, "jürgen@example.org", "ada@example.org")

    assert sent.outcome is Outcome.ACCEPTED
    assert (refused.outcome, refused.enhanced) == (Outcome.PERMANENT, "5.6.7")
    assert next_one.outcome is Outcome.ACCEPTED


def test_a_domain_outside_ascii_goes_as_a_labels(smtp, smtp_catcher):
    send_to(smtp, "ada@bücher.example")

    assert smtp_catcher.recipients == ["ada@xn--bcher-kva.example"]


def test_an_answer_that_is_no_smtp_makes_the_content_unknown():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def babble() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"220 hello\r\n")
                for reply in (b"250 hi", b"250 ok", b"250 ok", b"354 go"):
                    lines.readline()
                    connection.sendall(reply + b"\r\n")
                while lines.readline() != b".\r\n":
                    pass
                connection.sendall(b"what?\r\n")

        threading.Thread(target=babble, daemon=True).start()
        transport = SmtpTransport(Relay.from_url(f"smtp://127.0.0.1:{port}?timeout=5"))
        (receipt,) = send_to(transport, "ada@example.org")

    assert receipt.outcome is Outcome.UNKNOWN


def test_after_aborting_not_another_byte_goes_out(smtp, smtp_catcher):
    send_to(smtp, "ada@example.org")
    before = list(smtp_catcher.commands)
    smtp.abort()

    assert smtp_catcher.commands == before  # no QUIT either
