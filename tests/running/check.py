"""What must be in order before anything is handed in: `make check`.

python -m tests.running.check
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import tests.environment  # noqa: F401 - mypy's plugin and makemigrations read the settings

# Python's own executables stand beside the interpreter; modules are called where there is one.
CHECKS = {
    "types": ["-m", "mypy"],
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "lock files, settings, compose": ["-m", "pytest", "-q", "tests/contracts", "--no-header"],
}


def main() -> int:
    """All at the same time, because the types alone take as long as everything else."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = {pool.submit(_check, arguments): name for name, arguments in CHECKS.items()}
        failed = []
        for check in as_completed(done):
            seconds, code, output = check.result()
            print(f"{'FAILED' if code else 'ok    '} {done[check]} ({seconds:.0f} s)", flush=True)
            if code:
                failed.append(done[check])
                print(f"{output}\n", flush=True)
    if failed:
        print(f"Not in order: {', '.join(failed)}. `make format` puts the code into shape.")
    return 1 if failed else 0


def _check(arguments: list[str]) -> tuple[float, int, str]:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False,
        env=dict(os.environ),
    )  # fmt: skip
    return time.monotonic() - begun, done.returncode, (done.stdout + done.stderr).strip()


if __name__ == "__main__":
    sys.exit(main())
