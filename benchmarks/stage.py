"""A database, a broker and settings of our own, gone afterwards."""

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from project.local import valkey
from tests import environment  # noqa: F401  # keys and folders, before Django reads its settings
from tests.running import postgres, processes

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "var" / "bench"


@contextlib.contextmanager
def stage(database: str) -> Iterator[None]:
    """Set up Django on a fresh, migrated database ("sqlite" or "postgres") and a fresh Valkey.

    Once per process: settings cannot be read twice.
    """
    folder = Path(os.environ["VAR_DIR"])
    with contextlib.ExitStack() as stack:
        if database == "postgres":
            os.environ["DATABASE_URL"] = stack.enter_context(postgres.cluster()).url()
        else:
            os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bench.sqlite3'}"
        command = valkey.command(valkey.find_binary(), folder / "valkey", keep=False)
        server = processes.start("valkey", command, log=folder / "valkey.log", env=os.environ)
        stack.callback(server.stop)
        if not valkey.wait_until_ready(folder / "valkey"):
            sys.exit(f"Valkey did not start:\n{server.output}")
        with django():
            yield


@contextlib.contextmanager
def django() -> Iterator[None]:
    """Set up Django, and migrate the database that DATABASE_URL names."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    from django import setup

    setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    try:
        yield
    finally:
        connections.close_all()


def here() -> dict[str, Any]:
    """What a reader of the figures needs to know of the machine."""
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision.stdout.strip(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def write(name: str, result: dict[str, Any]) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**here(), **result}, indent=2) + "\n")
    return path


def table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
