"""Every test on SQLite, and on PostgreSQL what a database can change, both at the same time.

python -m tests.running [pytest's arguments]        what `make test ARGS=…` runs
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from project import leash
from tests.running import postgres

PYTEST = [sys.executable, "-m", "pytest"]
# Browser journeys, real processes of the supervisor and what never asks a database run once.
NOT_TWICE = "not browser and not once"


class Pass:
    """One run of pytest. Only one writes to the screen as it goes; the other is shown when over."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], *, quiet: bool) -> None:
        self.name = name
        # Read when the run is over, so it outlives any one block.
        self._log: IO[bytes] | None = tempfile.TemporaryFile() if quiet else None  # noqa: SIM115
        if not quiet:
            print(f"\n=== The tests on {name} ===", flush=True)
        self.child: subprocess.Popen[bytes] = leash.start(
            command, env=env, stdout=self._log, stderr=subprocess.STDOUT if quiet else None
        )

    def wait(self) -> int:
        code = self.child.wait()
        if self._log is not None:
            print(f"\n=== The tests on {self.name} ===", flush=True)
            self._log.seek(0)
            shutil.copyfileobj(self._log, sys.stdout.buffer)
            sys.stdout.flush()
        return code


def main(arguments: list[str]) -> int:
    begun = time.monotonic()
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    again = [*PYTEST, "-m", NOT_TWICE, *arguments]
    # A queue of the caller's own is emptied after every test, so there the two take turns.
    together = not os.environ.get("TEST_REDIS_URL")
    codes = {}
    with contextlib.ExitStack() as stack:
        passes: list[Pass] = []
        stack.enter_context(_ended_with_us(passes))
        passes.append(Pass("SQLite", [*PYTEST, *arguments], without, quiet=False))
        if not together:
            codes["SQLite"] = passes[0].wait()
        try:
            url = (
                os.environ.get("TEST_DATABASE_URL") or stack.enter_context(postgres.cluster()).url()
            )
        except postgres.NoPostgres as missing:
            print(f"\nThe tests do not run on PostgreSQL: {missing}", file=sys.stderr)
            codes["PostgreSQL"] = 1
        else:
            environment = {**without, "DATABASE_URL": url}
            passes.append(Pass("PostgreSQL", again, environment, quiet=together))
        codes |= {each.name: each.wait() for each in passes if each.name not in codes}
    # 5: nothing was selected, which a narrow ARGS may mean.
    failed = [name for name, code in codes.items() if code not in (0, 5)]
    if all(code == 5 for code in codes.values()):
        failed = ["nothing ran"]
    print(
        f"\n{time.monotonic() - begun:.0f} s in all; "
        + (f"FAILED: {', '.join(failed)}" if failed else f"passed on {' and '.join(codes)}")
    )
    return 1 if failed else 0


@contextlib.contextmanager
def _ended_with_us(passes: list[Pass]) -> Iterator[None]:
    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        for each in passes:
            if each.child.poll() is None:
                each.child.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    each.child.wait(30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
