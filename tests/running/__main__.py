"""Every test on SQLite, and then on PostgreSQL what a database can change, on all cores.

python -m tests.running [pytest's arguments]        what `make test ARGS=…` runs

Each pass is shared between worker processes (pytest-xdist), each with a database, a Valkey server
and a VAR_DIR of its own; who has nothing left to do takes over half of what another still has.
One process is enough to look into something: make test ARGS="-n 0 tests/…".
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

from project import leash
from tests.running import postgres

PYTEST = [sys.executable, "-m", "pytest"]
# Browser journeys, real processes of the supervisor and what never asks a database run once.
NOT_TWICE = "not browser and not once"


def main(arguments: list[str]) -> int:
    begun = time.monotonic()
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [*PYTEST, "-n", str(_workers()), "--dist", "worksteal"]
    codes = {"SQLite": _run("SQLite", [*command, *arguments], without)}
    try:
        with contextlib.ExitStack() as stack:
            url = (
                os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.cluster()).url()
            )
            codes["PostgreSQL"] = _run(
                "PostgreSQL",
                [*command, "-m", NOT_TWICE, *arguments],
                {**without, "DATABASE_URL": url},
            )
    except postgres.NoPostgres as missing:
        print(f"\nThe tests do not run on PostgreSQL: {missing}", file=sys.stderr)
        codes["PostgreSQL"] = 1
    # 5: nothing was selected, which a narrow ARGS may mean.
    failed = [name for name, code in codes.items() if code not in (0, 5)]
    if all(code == 5 for code in codes.values()):
        failed = ["nothing ran"]
    print(
        f"\n{time.monotonic() - begun:.0f} s in all; "
        + (f"FAILED: {', '.join(failed)}" if failed else f"passed on {' and '.join(codes)}")
    )
    return 1 if failed else 0


def _workers() -> int:
    """As many as there are cores; one where all would empty the same queue of the caller's own."""
    if os.environ.get("TEST_REDIS_URL"):
        return 1
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _run(name: str, command: list[str], env: Mapping[str, str]) -> int:
    print(f"\n=== The tests on {name} ===", flush=True)
    with _ended_with_us(leash.start(command, env=dict(env))) as child:
        return child.wait()


@contextlib.contextmanager
def _ended_with_us(child: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
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
