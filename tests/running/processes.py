"""Real Celery worker processes and other children of the tests."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from project import leash

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent


def wait_until(
    question: Callable[[], T], *, seconds: float = 30, every: float = 0.05, about: str = ""
) -> T:
    """Return the first true answer of `question`; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := question():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s: {about or question}")
        time.sleep(every)


@dataclass
class Running:
    """A child of the tests, with what it printed."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    # Where in the log it begins: one before it may have written there, and been ready too.
    since: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_bytes()[self.since :].decode(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, not to its children."""
        self.process.send_signal(number)

    def family(self) -> list[int]:
        """Every process under this one, this one first."""
        found = [self.pid]
        for pid in found:
            found += children_of(pid)
        return found

    def freeze(self) -> None:
        """SIGSTOP the whole family: a zombie worker that will wake too late."""
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the process, as a power cut would, and wait until its whole family is gone."""
        family = self.family()
        self.process.kill()
        self.process.wait(30)
        wait_until(lambda: not any(is_alive(pid) for pid in family), seconds=30, about=self.name)

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM and wait; kill what does not end. Returns the exit code."""
        if not self.alive:
            return self.process.wait()
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.thaw()
            self.kill()
            raise AssertionError(f"{self.name} did not stop:\n{self.output[-4000:]}") from None


def start(
    name: str, argv: list[str], *, log: Path, env: Mapping[str, str], cwd: Path = ROOT
) -> Running:
    """Start a child that dies with the tests, its output in `log`."""
    with log.open("ab") as out:
        since = out.tell()
        process = leash.start(argv, env=dict(env), cwd=cwd, stdout=out, stderr=out)
    return Running(name, process, log, since)


def start_worker(
    queues: str, *, name: str, log: Path, env: Mapping[str, str], concurrency: int = 1
) -> Running:
    """Start a Celery worker on `queues` and wait until it takes work."""
    argv = [
        *(sys.executable, "-m", "celery", "-A", "project", "worker"),
        *("-Q", queues, "-n", f"{name}@tests", "-c", str(concurrency)),
        *("--loglevel", "INFO", "--without-mingle", "--without-gossip"),
    ]
    worker = start(name, argv, log=log, env=env)

    def ready() -> bool:
        if not worker.alive:
            raise AssertionError(f"The worker ended:\n{worker.output[-4000:]}")
        return f"{name}@tests ready" in worker.output

    wait_until(ready, seconds=120, about=f"worker {name} ready")
    return worker


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be collected does not."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.exists() and Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return stat.read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (map(int, line.split()) for line in listed.stdout.splitlines())
    return [child for child, parent in pairs if parent == pid]


def group_members(group: int) -> Iterator[int]:
    """Every living process of a process group."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, pgid, state = line.split()
        if int(pgid) == group and not state.startswith("Z"):
            yield int(pid)
