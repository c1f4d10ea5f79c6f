"""A relay that takes everything as fast as Python can, in a process of its own."""

import contextlib
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from project import leash


@contextlib.contextmanager
def sink(counter: Path | None = None) -> Iterator[tuple[str, int]]:
    """Yield (what it is, its port). Postfix's smtp-sink where it is installed, else ours.

    smtp-sink keeps the number of messages that it took in `counter` (`messages_in` reads it).
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    postfix = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    name = "smtp-sink" if postfix else "Python sink"
    argv = [sys.executable, "-m", "benchmarks.sink", str(port)]
    if postfix:
        # It refuses to run as root.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        argv = [postfix, *(["-c"] if counter else []), *user, f"127.0.0.1:{port}", "200"]
    with (counter or Path(os.devnull)).open("wb") as out:
        process = leash.start(argv, env=dict(os.environ), stdout=out, stderr=out)
        try:
            _wait(port)
            yield name, port
        finally:
            process.kill()
            process.wait(10)


def messages_in(counter: Path) -> int | None:
    """Return how many messages smtp-sink has taken; None where ours ran, which does not count."""
    with counter.open("rb") as read:
        read.seek(max(0, counter.stat().st_size - 200))
        found = re.findall(rb"mesg=(\d+)", read.read())
    return int(found[-1]) if found else None


def _wait(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > deadline:
            raise RuntimeError("The sink did not start.")
        time.sleep(0.02)


def serve(port: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_converse, args=(connection,), daemon=True).start()


def _converse(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"220 sink\r\n")
        in_content = False
        tail = b""
        while received := connection.recv(65536):
            tail = tail[-4:] + received if in_content else received
            if in_content:
                if not tail.endswith(b"\r\n.\r\n"):
                    continue
                in_content = False
                connection.sendall(b"250 2.0.0 ok\r\n")
            elif received[:4].upper() == b"DATA":
                in_content = True
                tail = b"\r\n"
                connection.sendall(b"354 go\r\n")
            elif received[:4].upper() == b"QUIT":
                connection.sendall(b"221 bye\r\n")
                return
            else:
                connection.sendall(b"250 2.1.0 ok\r\n")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
