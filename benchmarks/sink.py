"""A relay that takes everything as fast as Python can, in a process of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from project import leash


@contextlib.contextmanager
def sink() -> Iterator[tuple[str, int]]:
    """Yield (what it is, its port). Postfix's smtp-sink where it is installed, else ours."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    postfix = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    name = "smtp-sink" if postfix else "Python sink"
    argv = (
        [postfix, f"127.0.0.1:{port}", "200"]
        if postfix
        else [sys.executable, "-m", "benchmarks.sink", str(port)]
    )
    process = leash.start(
        argv, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield name, port
    finally:
        process.kill()
        process.wait(10)


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
