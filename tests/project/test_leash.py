"""A child never outlives its parent, whatever kills the parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from project import leash
from tests.running.processes import ROOT, is_alive, wait_until

pytestmark = pytest.mark.once

PARENT = """
    import sys, time
    from project import leash
    child = leash.start([sys.executable, "-c", "import time; time.sleep(60)"], by_pipe={by_pipe})
    print(child.pid, flush=True)
    time.sleep(60)
"""


def start_parent(by_pipe: bool | None) -> tuple["subprocess.Popen[str]", int]:
    code = textwrap.dedent(PARENT).format(by_pipe=by_pipe)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize("by_pipe", [None, True], ids=["this platform's way", "pipe watcher"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_its_child_along(by_pipe, number):
    parent, child = start_parent(by_pipe)
    grandchildren = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(child)], capture_output=True, text=True, check=False
    ).stdout.split()
    assert is_alive(child)
    parent.send_signal(number)
    parent.wait(30)
    wait_until(lambda: not is_alive(child), seconds=30)
    for grandchild in grandchildren:
        wait_until(lambda pid=int(grandchild): not is_alive(pid), seconds=30)


def test_a_child_started_after_its_parent_died_does_not_start():
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    started = subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, str(gone.pid), "9", "-", "-", "echo", "here"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.stdout == ""


def test_ctrl_c_of_the_terminal_is_not_heard_by_children():
    child = leash.start(
        [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None and child.stdout.readline() == b"here\n"
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert child.poll() is None
    child.terminate()
    assert child.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("by_pipe", [None, True])
def test_the_commands_exit_code_comes_through(by_pipe):
    child = leash.start([sys.executable, "-c", "raise SystemExit(7)"], by_pipe=by_pipe)
    assert child.wait(30) == 7


@pytest.mark.parametrize("by_pipe", [None, True])
def test_a_command_that_does_not_exist_says_so(by_pipe, capfd):
    child = leash.start(["/no/such/program"], by_pipe=by_pipe)
    assert child.wait(30) == 127
    assert "/no/such/program: No such file or directory" in capfd.readouterr().err


def test_sigterm_reaches_the_command_through_the_pipe_watcher():
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(3)); "
        "print('here', flush=True); time.sleep(60)"
    )
    child = leash.start([sys.executable, "-c", code], by_pipe=True, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"here\n"
    child.terminate()
    assert child.wait(30) == 3


def test_leashing_from_another_thread_is_refused():
    import threading

    refused: list[str] = []

    def attempt() -> None:
        try:
            leash.start(["true"])
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert refused
