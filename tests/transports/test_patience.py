"""How long each phase may take (RFC 5321 section 4.5.3.2): each has a clock of its own."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.transports.errors import LineDown
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import connect as connecting
from newsletter.transports.smtp import line as lines
from newsletter.transports.smtp.conversation import Step
from newsletter.transports.smtp.lane import Lane
from newsletter.transports.smtp.line import Line
from tests.transports.messages import envelope, outgoing
from tests.transports.table import OFFER

MINUTE = 60.0


def test_no_phase_is_shorter_than_the_standard_asks():
    assert connecting.COMMAND >= 5 * MINUTE  # the greeting, EHLO
    assert lines.PATIENCE[Step.MAIL] >= 5 * MINUTE
    assert lines.PATIENCE[Step.RCPT] >= 5 * MINUTE
    assert lines.PATIENCE[Step.DATA] >= 2 * MINUTE
    assert lines.CONTENT >= 3 * MINUTE
    assert lines.PATIENCE[Step.FINAL] >= 10 * MINUTE


@pytest.fixture
def late() -> Iterator[int]:
    """The port of a relay that greets after half a second, and then leaves."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            one, _ = server.accept()
            with one, contextlib.suppress(OSError):  # who was impatient has left
                time.sleep(0.5)
                one.sendall(b"220 at last\r\n")
                one.recv(1000)
                one.sendall(b"250 late.test\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])


def test_a_relay_that_greets_late_is_waited_for_longer_than_for_its_connection(
    late: int, monkeypatch: pytest.MonkeyPatch
):
    """Some let everybody wait for the greeting, to see who is impatient."""
    monkeypatch.setattr(connecting, "CONNECT", 0.2)
    monkeypatch.setattr(connecting, "COMMAND", 10.0)

    sock, _ = connecting.connect(Relay.from_url(f"smtp://127.0.0.1:{late}"))
    sock.close()


def test_the_urls_timeout_caps_that_too(late: int):
    with pytest.raises(LineDown):
        connecting.connect(Relay.from_url(f"smtp://127.0.0.1:{late}?timeout=0.1"))


@pytest.mark.parametrize(
    ("replies", "seconds"),
    [
        ("", 300.0),  # MAIL
        ("250 ok\r\n", 300.0),  # RCPT
        ("250 ok\r\n250 ok\r\n", 120.0),  # DATA
        ("250 ok\r\n250 ok\r\n354 go\r\n", 600.0),  # the last reply
    ],
)
def test_each_reply_has_its_own_clock_on_a_line(replies: str, seconds: float):
    ours, theirs = socket.socketpair()
    with theirs:
        line = Line(ours, OFFER, Lane(Relay.from_url("smtp://127.0.0.1")))
        ours.setblocking(False)
        now = 1000.0
        for one in outgoing([envelope()]):
            line.take(one, now)
        line.write(now)
        theirs.sendall(replies.encode())
        line.read(now)
        line.write(now)

        assert line.expire(now + seconds - 1) == []
        (settled,) = line.expire(now + seconds + 1)
        assert "no answer within" in settled.receipt.reply
        line.drop()
