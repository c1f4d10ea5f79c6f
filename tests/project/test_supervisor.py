"""`make run` as one process group: what crashes comes back, and nothing is left behind.

Real processes are started and killed here, each test on a folder of its own.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import processes
from tests.running.processes import is_alive, wait_until
from tests.running.stack import LiveStack, start_stack

pytestmark = [pytest.mark.processes, pytest.mark.once]

NO_DEMO = "seeded"
KEEP = """
from signup.models import Subscriber
Subscriber.objects.create(email="kept@example.org", email_key="kept@example.org")
"""


@pytest.fixture
def folder(migrated_folder: Callable[[], Path]) -> Path:
    """The demo's content is not what is tested here."""
    found = migrated_folder()
    (found / NO_DEMO).touch()
    return found


def named(stack: LiveStack, part: str) -> list[int]:
    found = []
    for pid in stack.supervisor.family():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if part in line:
            found.append(pid)
    return found


def all_gone(pids: list[int], seconds: float) -> None:
    wait_until(
        lambda: not any(is_alive(pid) for pid in pids), seconds=seconds, about="no orphan left"
    )


def test_a_crashed_child_comes_back_and_sigterm_ends_everything_and_data_stay(folder):
    with start_stack(folder) as stack:
        family = stack.supervisor.family()
        assert {os.getpgid(pid) for pid in family} == {os.getpgid(stack.supervisor.pid)}
        assert (folder / "keys.env").stat().st_mode & 0o777 == 0o600
        keys = (folder / "keys.env").read_text()

        (worker, *pool) = named(stack, "-Q bulk")
        os.kill(worker, signal.SIGKILL)
        all_gone([worker, *pool], 10)
        wait_until(lambda: len(named(stack, "-Q bulk")) >= 2, seconds=90, about="a new worker")
        assert "The bulk worker was killed (SIGKILL). Starting it again now." in (
            stack.supervisor.output
        )

        (valkey,) = named(stack, "valkey-server")
        os.kill(valkey, signal.SIGKILL)
        wait_until(
            lambda: named(stack, "valkey-server") not in ([], [valkey]),
            seconds=90,
            about="a new Valkey",
        )
        wait_until(lambda: stack.get("/readyz")[0] == 200, seconds=90, about="ready again")

        stack.manage("shell", "-c", KEEP)
        family = stack.supervisor.family()
        begun = time.monotonic()
        assert stack.supervisor.stop(60) == 0
        assert time.monotonic() - begun < 30
        all_gone(family, 1)
        assert "Traceback" not in stack.supervisor.output.partition("Starting it again")[0]

    with start_stack(folder) as again:
        assert (folder / "keys.env").read_text() == keys
        assert again.value("SELECT count(*) FROM signup_subscriber WHERE email_key LIKE 'kept@%'")
        family = again.supervisor.family()
        assert len(family) >= 8
        again.supervisor.process.kill()
        # SIGKILL: nobody is told anything, and yet nobody stays.
        all_gone(family, 15)


def test_a_second_start_on_the_same_folder_is_refused_and_ctrl_c_ends_the_first_in_order(folder):
    with start_stack(folder) as stack:
        second = processes.start(
            "second",
            [sys.executable, "-m", "project.local"],
            log=folder / "second.log",
            env={**stack.environment, "PORT": "18999"},
        )
        assert second.process.wait(60) == 1
        assert f"already runs on {folder}" in second.output
        assert str(stack.supervisor.pid) in second.output
        assert stack.get("/healthz")[0] == 200

        family = stack.supervisor.family()
        # What a terminal does: SIGINT to every process of the group at once.
        for pid in family:
            os.kill(pid, signal.SIGINT)
        assert stack.supervisor.process.wait(60) == 0
        all_gone(family, 1)
        assert "Stopping." in stack.supervisor.output
        assert "Traceback" not in stack.supervisor.output


CRASHING = """
import sys, threading, os, signal, time
from pathlib import Path
from project.local.supervisor import Child, Supervisor
supervisor = Supervisor(Path("."), say=lambda text: print(f"{time.monotonic():.2f} {text}"))
supervisor.start(Child("The test", [sys.executable, "-c", "raise SystemExit(3)"], os.environ))
supervisor.start(Child("The other", ["sleep", "60"], os.environ))
signal.setitimer(signal.ITIMER_REAL, 5)
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
supervisor.run()
supervisor.stop()
print("stopped")
"""


def test_what_crashes_again_and_again_is_started_with_patience():
    done = subprocess.run(
        [sys.executable, "-c", CRASHING], cwd=processes.ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    said = [line.partition(" ")[2] for line in done.stdout.splitlines()[:-1]]
    assert said[:3] == [
        "The test ended with code 3. Starting it again now.",
        "The test ended with code 3. Starting it again in 1 s.",
        "The test ended with code 3. Starting it again in 2 s.",
    ]
    assert len(said) < 6
    assert "stopped" in done.stdout


NEVER_UP = """
import os, sys
from pathlib import Path
from project.local.supervisor import Child, StartFailedError, Supervisor
supervisor = Supervisor(Path("."), say=print)
child = Child("The test", [sys.executable, "-c", "raise SystemExit(3)"], os.environ,
              ready=lambda: False, log=Path("its.log"))
try:
    supervisor.start(child)
except StartFailedError as error:
    print(error)
"""


def test_a_child_that_does_not_come_up_ends_the_start():
    done = subprocess.run(
        [sys.executable, "-c", NEVER_UP], cwd=processes.ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "The test ended at once; see its.log for the reason.\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "eighty", "PORT must be a number"),
        ("TIME_ZONE", "Mars/Base", "TIME_ZONE must be an IANA time zone"),
        ("EMAIL_URL", "carrier-pigeon", "EMAIL_URL looks like"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none", "The database cannot be used"),
    ],
)
def test_a_bad_environment_ends_with_one_plain_message(folder, name, value, said):
    env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    refused = processes.start(
        "refused",
        [sys.executable, "-m", "project.local"],
        log=folder / "log",
        env={**env, "VAR_DIR": str(folder), "PORT": "18998", name: value},
    )
    family = refused.family()
    assert refused.process.wait(60) != 0
    assert said in refused.output
    assert "Traceback" not in refused.output
    all_gone(family, 5)
