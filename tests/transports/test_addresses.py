"""A relay behind several addresses: each is tried, whatever is wrong with those before it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.protocol import send_in_order
from newsletter.transports.relay import Relay
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.smtp import connect as connecting
from newsletter.transports.smtp.connect import connect
from newsletter.transports.values import Outcome
from tests.transports.fault_server import FaultServer
from tests.transports.messages import envelope

pytestmark = pytest.mark.once

NAME = "relay.example"


@contextlib.contextmanager
def poor(address: str, port: int, says: bytes) -> Iterator[list[int]]:
    """A server that greets with `says`, nothing if that is empty, and a note of who came."""
    came: list[int] = []
    kept: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = server.accept()
                came.append(1)
                if says:
                    one.sendall(says)
                    one.close()
                else:
                    kept.append(one)

    with socket.create_server((address, port)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield came
        # Closing alone would not wake who waits in accept().
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the relay's name has."""
    ask = socket.getaddrinfo
    addresses: list[str] = []

    def answer(host, *rest, **more):
        if host != NAME:
            return ask(host, *rest, **more)
        return [one for address in addresses for one in ask(address, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return addresses


def url(port: int, options: str = "starttls=no&timeout=0.5", login: str = "") -> str:
    return f"smtp://{login}{NAME}:{port}?{options}"


@pytest.mark.parametrize(
    "says", [b"421 4.3.2 too many\r\n", b"", b"HTTP/1.1 400\r\n", None],
    ids=["overloaded", "silent", "garbage", "refused"],
)  # fmt: skip
def test_the_next_address_is_tried(says: bytes | None, resolver: list[str]):
    """RFC 5321 section 5.1. Without it one dead server of a cluster stops all mail."""
    resolver += ["127.0.0.2", "127.0.0.1"]
    with FaultServer() as server, contextlib.ExitStack() as stack:
        if says is not None:
            stack.enter_context(poor("127.0.0.2", server.port, says))
        transport = SmtpTransport(Relay.from_url(url(server.port)))
        (receipt,) = send_in_order(transport, [envelope()])
        transport.close()

    assert receipt.outcome is Outcome.ACCEPTED


def test_an_address_that_was_no_good_comes_last_for_a_while(
    resolver: list[str], monkeypatch: pytest.MonkeyPatch
):
    """Otherwise each new line would wait for a silent server's greeting anew."""
    resolver += ["127.0.0.2", "127.0.0.1"]
    with FaultServer() as server, poor("127.0.0.2", server.port, b"421 full\r\n") as came:
        for _ in range(3):
            connect(Relay.from_url(url(server.port)))[0].close()
        assert len(came) == 1
        monkeypatch.setattr(connecting, "_poor", {})
        connect(Relay.from_url(url(server.port)))[0].close()
        assert len(came) == 2


def test_no_worker_waits_for_every_server_of_a_large_cluster(monkeypatch: pytest.MonkeyPatch):
    """Each may be silent for five minutes."""
    now = [1000.0]
    asked: list[str] = []

    def silent(relay: Relay, address: str) -> None:
        asked.append(address)
        now[0] += connecting.COMMAND
        raise LineDown("silence")

    monkeypatch.setattr(connecting, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(connecting, "_addresses", lambda relay: ["a", "b", "c"])
    monkeypatch.setattr(connecting, "_connect", silent)
    monkeypatch.setattr(connecting, "_poor", {})
    with pytest.raises(LineDown):
        connect(Relay.from_url("smtp://relay.example"))

    assert asked == ["a", "b"]


def test_when_none_will_do_the_relay_is_away(resolver: list[str]):
    resolver += ["127.0.0.2", "127.0.0.3"]
    with (
        FaultServer() as server,
        poor("127.0.0.2", server.port, b"421 one\r\n") as first,
        poor("127.0.0.3", server.port, b"421 two\r\n") as second,
        pytest.raises(LineDown, match="two"),
    ):
        connect(Relay.from_url(url(server.port)))

    assert (len(first), len(second)) == (1, 1)


def test_a_relay_that_will_not_have_us_is_not_asked_at_each_of_its_addresses(resolver: list[str]):
    """Wrong passwords lock accounts."""
    resolver += ["127.0.0.2", "127.0.0.1"]
    with (
        FaultServer() as server,
        poor("127.0.0.2", server.port, b"554 5.7.1 go away\r\n"),
        pytest.raises(Misconfigured, match="go away"),
    ):
        connect(Relay.from_url(url(server.port)))

    assert server.connections == 0
