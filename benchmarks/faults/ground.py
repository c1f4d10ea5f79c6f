"""What a scenario stands on: a PostgreSQL and a Valkey that can be taken away and come back."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks import stage
from project.local import valkey
from tests.running import postgres, processes
from tests.running.processes import Running

T = TypeVar("T")

# As in production, but for fsync: a server that crashes loses nothing that it acknowledged, as
# long as the machine itself goes on.
_SETTINGS = {"synchronous_commit": "on", "full_page_writes": "on", "max_connections": "200"}


class Valkey:
    """Keeps every change on its disk, as in `make run`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: Running | None = None

    def start(self) -> None:
        self._running = processes.start(
            "valkey",
            valkey.command(valkey.find_binary(), self._folder),
            log=self._folder.with_suffix(".log"),
            env=os.environ,
        )
        if not valkey.wait_until_ready(self._folder):
            sys.exit(f"Valkey did not start:\n{self._running.output}")

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running = None

    def flush(self) -> None:
        import redis

        with redis.Redis.from_url(valkey.url(self._folder)) as client:
            client.flushall()


@dataclass
class Ground:
    folder: Path
    postgres: postgres.Cluster
    valkey: Valkey


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    """Start both and set up Django. Once per process: settings cannot be read twice."""
    folder = Path(os.environ["VAR_DIR"])
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgres.cluster(**_SETTINGS))
        os.environ["DATABASE_URL"] = server.url()
        broker = Valkey(folder / "valkey")
        broker.start()
        stack.callback(broker.kill)
        stack.enter_context(stage.django())
        yield Ground(folder, server, broker)


def persistently(question: Callable[[], T], *, seconds: float = 60) -> T:
    """Ask the database, again if it is away just now."""
    from django.db import Error, connections

    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except Error:
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
