"""`manage.py verify_ledger`; at its end it says how much memory it had (benchmarks.ledger)."""

import resource
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    try:
        execute_from_command_line(["manage.py", "verify_ledger"])
    finally:
        # Kilobytes on Linux (getrusage(2)).
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak kilobytes: {most}", file=sys.stderr)


if __name__ == "__main__":
    main()
