"""Keeps children running: starts them in order, restarts what crashes, stops them in order.

One process group. The supervisor alone hears Ctrl-C, SIGTERM and a closed terminal (project.leash
blocks them in the children), and when it dies, however it dies, its children die with it.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from project import leash

# Seconds before a crashed child is started again: the first at once, then with patience.
BACK_OFF = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
# A child that ran this long was well; its next crash counts as the first.
WELL_AFTER = 60.0


@dataclass
class Child:
    """A process to keep running."""

    name: str
    argv: list[str]
    env: Mapping[str, str]
    # Seconds it gets to end by itself after SIGTERM.
    patience: float = 15.0
    # Whether it is up: asked again and again at the start. None: up as soon as it runs.
    ready: Callable[[], bool] | None = None
    # The others use it: it ends after them.
    serves_others: bool = False
    # Where it writes what it has to say, if not to the terminal.
    log: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    crashes: int = 0
    again_at: float | None = None

    def start(self, cwd: Path) -> None:
        self.again_at = None
        self.started = time.monotonic()
        self.process = leash.start(self.argv, env=dict(self.env), cwd=cwd)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class StartFailedError(Exception):
    """A child did not come up at the start."""


@dataclass
class Supervisor:
    cwd: Path
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    stopping_since: float = 0.0

    def __post_init__(self) -> None:
        """Signals wake the loop through a socket, so that none is ever missed between checks."""
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Whatever the parent blocked: it is for us to hear.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to stay
            signal.signal(signal.SIGHUP, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.stopping and number == signal.SIGINT and now - self.stopping_since > 1:
            # Ctrl-C again: somebody is in a hurry. The children die with us.
            os.write(2, b"\nStopped at once.\n")
            os._exit(130)
        if not self.stopping:
            self.stopping, self.stopping_since = True, now

    def start(self, child: Child, *, seconds: float = 60) -> None:
        """Start `child` and wait until it is ready. Raises StartFailedError."""
        self.children.append(child)
        child.start(self.cwd)
        if child.ready is not None:
            self.wait_until(child, seconds)

    def wait_until(self, child: Child, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.stopping and child.ready is not None and not child.ready():
            if not child.running:
                where = f"see {child.log}" if child.log else "see above"
                raise StartFailedError(f"{child.name} ended at once; {where} for the reason.")
            if time.monotonic() > deadline:
                raise StartFailedError(f"{child.name} did not answer within {seconds:.0f} s.")
            self._sleep(0.05)

    def run(self) -> None:
        """Watch until told to stop."""
        while not self.stopping:
            now = time.monotonic()
            for child in self.children:
                self._look_after(child, now)
            due = [child.again_at for child in self.children if child.again_at is not None]
            self._sleep(max(0.05, min(due) - now) if due else 3600)

    def _look_after(self, child: Child, now: float) -> None:
        if child.again_at is not None:
            if child.again_at <= now:
                child.start(self.cwd)
            return
        if child.running or child.process is None:
            return
        if now - child.started > WELL_AFTER:
            child.crashes = 0
        pause = BACK_OFF[min(child.crashes, len(BACK_OFF) - 1)]
        child.crashes += 1
        how = _how_it_ended(child.process.returncode)
        when = "now" if pause == 0 else f"in {pause:.0f} s"
        self.say(f"{child.name} {how}. Starting it again {when}.")
        child.again_at = now + pause
        if pause == 0:
            child.start(self.cwd)

    def _sleep(self, seconds: float) -> None:
        """Until a signal comes (a child's end is one) or the time is over."""
        if self._selector.select(seconds):
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)

    def stop(self) -> None:
        """End every child and wait for it; those that the others use come last."""
        self.stopping = True
        for last in (False, True):
            group = [child for child in self.children if child.serves_others is last]
            for child in group:
                if child.running and child.process is not None:
                    child.process.terminate()
            for child in group:
                self._await_end(child)

    def _await_end(self, child: Child) -> None:
        if child.process is None:
            return
        try:
            child.process.wait(child.patience)
        except subprocess.TimeoutExpired:
            self.say(f"{child.name} does not end; killing it.")
            child.process.kill()
            child.process.wait()


def _how_it_ended(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed ({signal.Signals(-code).name})"
    return f"ended with code {code}"


def stop_with_make() -> None:
    """When `make` started us, its death is our end too; a shell's is not (nohup, &)."""
    if sys.platform == "linux" and "MAKELEVEL" in os.environ:
        leash.die_with_parent(signal.SIGTERM)
