"""The processes of an installation: beats, workers, web, under the settings of a scenario."""

import contextlib
import os
import random
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.running import processes
from tests.running.processes import Running

# Short, so that a run takes minutes: a lease that runs out, an unknown that is sent once more.
TIMES = {
    "SENDING_LEASE_SECONDS": "6",
    "SENDING_UNKNOWN_AFTER_SECONDS": "3",
    "SENDING_RETRY_SECONDS": "3",
    "SENDING_LINE_PAUSE_SECONDS": "2",
    # A worker says when it is ready, at this level.
    "LOG_LEVEL": "INFO",
}

WORKER_KILLED, PROCESS_KILLED, TOLD_TO_STOP = KILLS = (
    "worker killed",
    "process killed",
    "worker told to stop",
)


class Crew:
    """Starts processes, each with a log of its own, and ends them all."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = {**os.environ, **TIMES, **env}
        self._number = 0
        self.everybody: list[Running] = []
        # Those who ought to run, and how each is started.
        self._standing: dict[int, tuple[str, list[str], Mapping[str, str]]] = {}
        self.bulk: list[Running] = []
        self.leaving: list[Running] = []

    def start_bulk(self, number: int = 1, *, processes: int = 2, **env: str) -> list[Running]:
        """Start workers that send; they take work once `is_ready`."""
        started = [self._worker("bulk", processes, env) for _ in range(number)]
        self.bulk += started
        return started

    def start_control(self, app: str = "project") -> None:
        self._worker("prompt,control", 2, {}, app)

    def start_beat(self, app: str = "project") -> None:
        self._start("beat", [*self._celery(app), "beat", "--loglevel", "WARNING", "--pidfile="])

    def start_web(self) -> str:
        """Start gunicorn, and return its address when it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        argv = [sys.executable, "-m", "gunicorn", "-c", "python:project.web"]
        url = f"http://127.0.0.1:{port}"
        web = self._start("web", argv, {"PORT": str(port), "WEB_WORKERS": "2"})

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        processes.wait_until(answers, seconds=60, every=0.2, about=f"web: {web.log}")
        return url

    def _worker(
        self, queues: str, number: int, env: Mapping[str, str], app: str = "project"
    ) -> Running:
        name = queues.partition(",")[0]
        argv = [
            *(*self._celery(app), "worker", "-Q", queues, "-c", str(number)),
            *("-n", f"{name}{self._number + 1}@faults", "--loglevel", "INFO"),
            *("--without-mingle", "--without-gossip"),
        ]
        return self._start(name, argv, env)

    @staticmethod
    def _celery(app: str) -> list[str]:
        return [sys.executable, "-m", "celery", "-A", app]

    def _start(self, kind: str, argv: list[str], env: Mapping[str, str] | None = None) -> Running:
        self._number += 1
        name = f"{kind}{self._number}"
        log = self._folder / f"{name}.log"
        running = processes.start(name, argv, log=log, env={**self._env, **(env or {})})
        self.everybody.append(running)
        self._standing[running.pid] = (kind, argv, env or {})
        return running

    # --- What happens to them -------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        for worker in self.bulk:
            processes.wait_until(
                partial(is_ready, worker),
                seconds=120,
                every=0.1,
                about=f"{worker.name} ready: {worker.log}",
            )

    def some_ready(self) -> list[Running]:
        return [worker for worker in self.bulk if worker.alive and is_ready(worker)]

    def replace(self, worker: Running) -> None:
        """A new one for one that is gone, or about to go."""
        self.bulk.remove(worker)
        del self._standing[worker.pid]
        self.start_bulk()

    def raise_the_fallen(self) -> list[str]:
        """Start again who ended without being told to, as compose does, and return their logs.

        Celery's worker gives up when the broker goes away in the middle of an acknowledgement
        (kombu then looks for a connection that it has just forgotten).
        """
        fallen = [running for running in self.everybody if self._has_fallen(running)]
        for running in fallen:
            kind, argv, env = self._standing.pop(running.pid)
            again = self._start(kind, argv, env)
            if running in self.bulk:
                self.bulk[self.bulk.index(running)] = again
        return [str(running.log) for running in fallen]

    def _has_fallen(self, running: Running) -> bool:
        return running.pid in self._standing and not running.alive

    def strike(self, worker: Running, dice: random.Random) -> str:
        """Kill the worker, one of its processes, or tell it to stop. Returns what was done."""
        # As often one of its processes as all of it, which takes seconds to come back.
        how = dice.choice([*KILLS, PROCESS_KILLED])
        if how == PROCESS_KILLED:
            # As the kernel does when memory runs out: Celery starts another one.
            # One may just have ended, struck before.
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(dice.choice(processes.children_of(worker.pid)), signal.SIGKILL)
                return how
            how = WORKER_KILLED
        if how == WORKER_KILLED:
            worker.kill()
        else:
            worker.send(signal.SIGTERM)
            self.leaving.append(worker)
        self.replace(worker)
        return how

    def troubles(self, seconds: float = 40) -> list[str]:
        """Wait for those that were told to stop; return who did not end well."""
        deadline = time.monotonic() + seconds
        found = []
        for worker in self.leaving:
            while worker.alive and time.monotonic() < deadline:
                time.sleep(0.1)
            if worker.process.poll() != 0:
                found.append(f"{worker.name} was told to stop and ended {worker.process.poll()}")
        return found

    def end(self) -> None:
        for running in self.everybody:
            if running.alive:
                running.thaw()
                running.kill()


def is_ready(worker: Running) -> bool:
    if not worker.alive:
        raise RuntimeError(f"{worker.name} ended by itself: {worker.log}\n{worker.output[-2000:]}")
    return "@faults ready" in worker.output
