"""Every test on SQLite, and on PostgreSQL what a database can change, side by side on all cores.

python -m tests.running [pytest's arguments]        what `make test ARGS=…` runs

Each pass is shared between worker processes (pytest-xdist), each with a database, a Valkey server
and a VAR_DIR of its own; who has nothing left to do takes over half of what another still has.
Browsers and real processes are waited for half of the time, so there are more workers than cores.

With a path or a short option one pass follows the other, for somebody who looks into something.
One process is enough for that: make test ARGS="-n 0 tests/…".
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import IO

from project import leash
from tests.running import postgres

PYTEST = [sys.executable, "-m", "pytest"]
# Browser journeys, real processes of the supervisor and what never asks a database run once.
NOT_TWICE = "not browser and not once"
# A hundred processes read the same modules, so what was compiled of them is kept.
NOT_HANDED_ON = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}
# Workers for each core when both run. What runs on SQLite alone is what waits most.
SQLITE, POSTGRESQL = 1.5, 1
# A command and its environment.
Pass = tuple[list[str], Mapping[str, str]]


def main(arguments: list[str]) -> int:
    begun = time.monotonic()
    without = {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}
    everything = all(argument.startswith("--") for argument in arguments)
    together = everything and not os.environ.get("TEST_REDIS_URL")
    passes = {"SQLite": ([*_command(SQLITE if together else 1), *arguments], without)}
    codes: dict[str, int] = {}
    with contextlib.ExitStack() as stack:
        try:
            url = (
                os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.cluster()).url()
            )
            passes["PostgreSQL"] = (
                [*_command(POSTGRESQL if together else 1), "-m", NOT_TWICE, *arguments],
                {**without, "DATABASE_URL": url},
            )
        except postgres.NoPostgres as missing:
            print(f"\nThe tests do not run on PostgreSQL: {missing}", file=sys.stderr)
            codes["PostgreSQL"] = 1
        codes |= _side_by_side(passes) if together else _one_by_one(passes)
    # 5: nothing was selected, which a narrow ARGS may mean.
    failed = [name for name, code in codes.items() if code not in (0, 5)]
    if all(code == 5 for code in codes.values()):
        failed = ["nothing ran"]
    print(
        f"\n{time.monotonic() - begun:.0f} s in all; "
        + (f"FAILED: {', '.join(failed)}" if failed else f"passed on {' and '.join(codes)}")
    )
    return 1 if failed else 0


def _command(for_each_core: float) -> list[str]:
    return [*PYTEST, "-n", str(_workers(for_each_core)), "--dist", "worksteal"]


def _workers(for_each_core: float) -> int:
    """One only where all would empty the same queue of the caller's own."""
    if os.environ.get("TEST_REDIS_URL"):
        return 1
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, round(cores * for_each_core))


def _one_by_one(passes: Mapping[str, Pass]) -> dict[str, int]:
    codes = {}
    for name, (command, env) in passes.items():
        _headline(name)
        with _started(command, env) as child:
            codes[name] = child.wait()
    return codes


def _side_by_side(passes: Mapping[str, Pass]) -> dict[str, int]:
    """The first pass says at once what it has to say, the others after it."""
    with contextlib.ExitStack() as stack:
        running = []
        for name, (command, env) in passes.items():
            said = stack.enter_context(tempfile.TemporaryFile()) if running else None
            running.append((name, stack.enter_context(_started(command, env, said)), said))
        codes = {}
        for name, child, said in running:
            if said is None:
                _headline(name)
            codes[name] = child.wait()
            if said is not None:
                _headline(name)
                said.seek(0)
                sys.stdout.flush()
                shutil.copyfileobj(said, sys.stdout.buffer)
        return codes


def _headline(name: str) -> None:
    print(f"\n=== The tests on {name} ===", flush=True)


@contextlib.contextmanager
def _started(
    command: list[str], env: Mapping[str, str], output: IO[bytes] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `command` until the block ends, however it ends."""

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    child = leash.start(command, env=dict(env), stdout=output, stderr=output)
    try:
        yield child
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
