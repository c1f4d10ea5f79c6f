"""`make bench`: every measurement, one after the other, each in a process of its own."""

import subprocess
import sys

MEASUREMENTS = (
    "benchmarks.copies",
    "benchmarks.engine",
    "benchmarks.pipeline",
    "benchmarks.plan",
    "benchmarks.digest",
    "benchmarks.signup",
    "benchmarks.list_bomb",
    "benchmarks.staff",
    "benchmarks.desk",
)


def main() -> int:
    codes = [subprocess.call([sys.executable, "-m", name, *sys.argv[1:]]) for name in MEASUREMENTS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
