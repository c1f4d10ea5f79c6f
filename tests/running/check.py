"""What must be in order before anything is handed in: `make check`.

python -m tests.running.check
"""

import os
import subprocess
import sys
import time

import tests.environment  # noqa: F401 - mypy's plugin and makemigrations read the settings

# Python's own executables stand beside the interpreter; modules are called where there is one.
CHECKS = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "types": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "lock files, settings, compose": ["-m", "pytest", "-q", "tests/contracts", "--no-header"],
}


def main() -> int:
    failed = []
    for name, arguments in CHECKS.items():
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False,
            env=dict(os.environ),
        )  # fmt: skip
        print(f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name} "
              f"({time.monotonic() - begun:.0f} s)", flush=True)  # fmt: skip
        if done.returncode != 0:
            failed.append(name)
            print((done.stdout + done.stderr).strip() + "\n", flush=True)
    if failed:
        print(f"Not in order: {', '.join(failed)}. `make format` puts the code into shape.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
