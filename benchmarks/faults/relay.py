"""The recorder as the scenarios use it: told what to do, killed, and asked what it took."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from project import leash


class Taken(NamedTuple):
    """One message that the relay took. `at` is this machine's steady clock."""

    at: float
    recipient: str
    message_id: str
    digest: str


class Relay:
    """A relay on loopback; `taken` outlives any of its processes."""

    def __init__(self, records: Path) -> None:
        self._records = records
        self._records.touch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._taken: list[Taken] = []
        self._read_upto = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = leash.start(
            [sys.executable, "-m", "benchmarks.faults.recorder", str(self.port),
             str(self._records)],
            env=dict(os.environ),
            stdin=subprocess.PIPE,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 2) as line,
            ):
                if line.recv(100).startswith(b"220"):
                    return
            if time.monotonic() > deadline:
                raise RuntimeError("The recorder did not start.")
            time.sleep(0.02)

    def kill(self) -> None:
        """Be away at once, with all lines, whatever is on them."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None

    def order(self, **orders: float) -> None:
        """See `recorder.Orders`."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(orders).encode() + b"\n")
        self._process.stdin.flush()

    @property
    def taken(self) -> list[Taken]:
        """Every message so far, in the order in which they were taken."""
        with self._records.open("rb") as records:
            records.seek(self._read_upto)
            whole, end, _ = records.read().rpartition(b"\n")
        if end:
            self._read_upto += len(whole) + 1
            self._taken += [Taken(*json.loads(line)) for line in whole.splitlines()]
        return self._taken

    def by_reader(self) -> dict[str, list[Taken]]:
        found: dict[str, list[Taken]] = defaultdict(list)
        for one in self.taken:
            found[one.recipient].append(one)
        return found
