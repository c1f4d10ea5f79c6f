"""Every test on SQLite, then again on PostgreSQL what a database can change.

python -m tests.running [pytest's arguments]        what `make test ARGS=…` runs
"""

import os
import signal
import sys
import time

from project import leash
from tests.running import postgres

PYTEST = [sys.executable, "-m", "pytest"]
# Browser journeys, real processes of the supervisor and what never asks a database run once.
NOT_TWICE = "not browser and not once"


def main(arguments: list[str]) -> int:
    begun = time.monotonic()
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    codes = {"SQLite": _run("SQLite", [*PYTEST, *arguments], without)}
    again = [*PYTEST, "-m", NOT_TWICE, *arguments]
    if url := os.environ.get("TEST_DATABASE_URL"):
        codes["PostgreSQL"] = _run("PostgreSQL", again, {**without, "DATABASE_URL": url})
    else:
        try:
            with postgres.cluster() as found:
                codes["PostgreSQL"] = _run(
                    "PostgreSQL", again, {**without, "DATABASE_URL": found.url()}
                )
        except postgres.NoPostgres as missing:
            print(f"\nThe tests did not run on PostgreSQL: {missing}", file=sys.stderr)
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


def _run(name: str, command: list[str], environment: dict[str, str]) -> int:
    print(f"\n=== The tests on {name} ===", flush=True)
    child = leash.start(command, env=environment)

    def stop(number: int, _frame: object) -> None:
        child.send_signal(signal.SIGTERM)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait(30)
        raise SystemExit(130) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
