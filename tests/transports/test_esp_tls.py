"""TLS to an ESP that breaks: before the request nothing went, after it nobody can know."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.transports.esp import EspTransport
from newsletter.transports.values import Outcome
from tests.transports import certificates
from tests.transports.esp_letters import copy, send

pytestmark = pytest.mark.once

Api = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["postmark", "amazon_ses"])
def esp_at(
    request: pytest.FixtureRequest, certified: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], EspTransport]:
    """An ESP's transport to a port here, by each of the two libraries that speak HTTP."""
    authority = str(certified[0])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)

    def made(port: int) -> EspTransport:
        url = f"https://127.0.0.1:{port}"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": url,
            "AMAZON_SES_CLIENT_PARAMS": {
                "endpoint_url": url, "region_name": "eu-west-1", "aws_access_key_id": "a",
                "aws_secret_access_key": "b", "verify": authority,
            },
        }  # fmt: skip
        return EspTransport(request.param)

    return made


@contextlib.contextmanager
def answering(serve: Api) -> Iterator[int]:
    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = server.accept()
                with contextlib.suppress(OSError), one:
                    serve(one)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "instead",
    [b"\x17\x03\x03\x00\x1e" + b"x" * 30, b"HTTP/1.1 200 OK\r\n\r\n", b""],
    ids=["torn", "no TLS", "nothing"],
)
def test_a_request_that_was_read_and_answered_with_broken_tls_is_unknown(
    esp_at: Callable[[int], EspTransport], certified: Any, instead: bytes
):
    """The library calls it an error of TLS, as it does when the certificate does not hold."""
    requests: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        line = certified[1].wrap_socket(plain, server_side=True)
        requests.append(line.recv(65536))
        # Past TLS.
        socket.socket.sendall(line, instead)
        line.close()

    with answering(serve) as port:
        (receipt,) = send(esp_at(port), copy(1))

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.UNKNOWN, False)
    assert len(requests) == 1


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_where_tls_does_not_come_about_nothing_went(
    esp_at: Callable[[int], EspTransport], greeting: bytes
):
    def serve(plain: socket.socket) -> None:
        plain.recv(65536)
        plain.sendall(greeting)

    with answering(serve) as port:
        (receipt,) = send(esp_at(port), copy(1))

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.TEMPORARY, True)


def test_to_an_api_whose_certificate_does_not_hold_nothing_goes(
    esp_at: Callable[[int], EspTransport], tmp_path: Path
):
    _, another = certificates.make(tmp_path, "elsewhere.example")

    def serve(plain: socket.socket) -> None:
        another.wrap_socket(plain, server_side=True)

    with answering(serve) as port:
        (receipt,) = send(esp_at(port), copy(1))

    assert (receipt.outcome, receipt.about_the_line) == (Outcome.TEMPORARY, True)
