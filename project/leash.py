"""Children that cannot outlive their parent, however the parent ends.

`start()` runs this very file as a small script, which ties itself to the parent and then becomes
the command. A kernel that knows PR_SET_PDEATHSIG (Linux) kills the command when the parent dies,
SIGKILL included. Elsewhere (macOS) the script stays as a watcher: the parent alone holds the write
end of a pipe, and when that end closes the watcher kills the command.

Ctrl-C and a closed terminal are blocked in the children, because the terminal sends them to the
whole process group at once: the parent alone hears them and stops its children in their order.

Stdlib only: this file runs with `python -I -S`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

_PR_SET_PDEATHSIG = 1
_pipe: tuple[int, int] | None = None


def start(
    argv: Sequence[str],
    *,
    user: tuple[int, int] | None = None,
    at_death: signal.Signals = signal.SIGKILL,
    by_pipe: bool | None = None,
    **popen: Any,
) -> "subprocess.Popen[bytes]":
    """Start `argv` as a child that ends when this process does. Call it from the main thread.

    `user` is a (uid, gid) to become first, `at_death` the signal the command gets when this
    process is gone. PDEATHSIG follows the *thread* that forked, hence the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A leashed child is started from the main thread.")
    pipe = _watched_pipe() if _needs_pipe(by_pipe) else None
    script = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(at_death))]
    script += [str(pipe) if pipe is not None else "-"]
    script += [f"{user[0]}:{user[1]}" if user else "-"]
    passed = (*popen.pop("pass_fds", ()), *((pipe,) if pipe is not None else ()))
    return subprocess.Popen([*script, *argv], pass_fds=passed, **popen)


def die_with_parent(at_death: signal.Signals = signal.SIGKILL) -> None:
    """Tie this process, already forked, to the parent that it has now (a pool's worker)."""
    parent = os.getppid()
    if sys.platform == "linux":
        _set_parent_death_signal(at_death)
        if os.getppid() != parent:
            os.kill(os.getpid(), at_death)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), at_death)

    threading.Thread(target=watch, name="parent-watcher", daemon=True).start()


def _needs_pipe(by_pipe: bool | None) -> bool:
    return sys.platform != "linux" if by_pipe is None else by_pipe


def _watched_pipe() -> int:
    """The read end of the pipe whose write end only this process holds (not inheritable)."""
    global _pipe  # noqa: PLW0603 - one pipe a process, closed by the process's end alone
    if _pipe is None:
        _pipe = os.pipe()
    return _pipe[0]


def _set_parent_death_signal(number: int) -> None:
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def _become_user(uid: int, gid: int) -> None:
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: F401 - now: that user may not be allowed to read our Python

    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _become(argv: list[str]) -> None:
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - meant: no shell
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127)


def _watch(argv: list[str], pipe: int, at_death: int) -> None:
    """Be the command's parent until it ends, or kill it when the pipe's other end closes."""
    child = os.fork()
    if child == 0:
        os.close(pipe)
        _become(argv)

    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
        signal.signal(number, forward)

    def wait_for_end_of_parent() -> None:
        os.read(pipe, 1)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, at_death)

    threading.Thread(target=wait_for_end_of_parent, daemon=True).start()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def main(arguments: list[str]) -> None:
    parent, at_death, pipe, user, *argv = arguments
    if user != "-":
        uid, gid = user.split(":")
        _become_user(int(uid), int(gid))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    if pipe != "-":
        _watch(argv, int(pipe), int(at_death))
        return
    # After setuid, which clears it; and the parent may have died before it was set.
    _set_parent_death_signal(int(at_death))
    if os.getppid() != int(parent):
        os._exit(0)
    _become(argv)


if __name__ == "__main__":
    main(sys.argv[1:])
