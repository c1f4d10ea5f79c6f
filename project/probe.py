"""The containers' health checks: does this container's web server answer, does its clock tick?

python -m project.probe [healthz|readyz|beat]
"""

import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

# Beat writes here whenever it hands out a task, which is every second (project.celery).
BEAT = Path(tempfile.gettempdir()) / "wellread-beat"


def main() -> int:
    path = sys.argv[1] if len(sys.argv) > 1 else "healthz"
    return _beat() if path == "beat" else _web(path)


def _beat() -> int:
    try:
        return 0 if time.time() - BEAT.stat().st_mtime < 60 else 1
    except FileNotFoundError:
        return 1


def _web(path: str) -> int:
    port = os.environ.get("WEB_BIND", "127.0.0.1:8000").rpartition(":")[2]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
