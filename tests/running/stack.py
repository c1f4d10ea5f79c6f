"""Everything `make run` starts, started by the tests: supervisor, web, workers, beat, mail."""

import contextlib
import email
import email.policy
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.running import processes
from tests.running.database import copy_file
from tests.running.processes import ROOT, Running, wait_until


@dataclass
class LiveStack:
    base_url: str
    var: Path
    environment: dict[str, str]
    supervisor: Running
    database_url: str

    def url(self, path: str) -> str:
        return self.base_url + path

    def get(self, path: str, timeout: float = 20) -> tuple[int, str]:
        """GET a path without following redirects; returns status and body."""
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(self.url(path), timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    # --- Mail ---

    def mails(self, to: str) -> list[EmailMessage]:
        """Every mail for `to` in the local mailbox, oldest first."""
        found = []
        for path in sorted((self.var / "mailbox" / "new").iterdir()):
            content = path.read_bytes()
            if to.encode() in content.partition(b"\r\n\r\n")[0]:
                message = email.message_from_bytes(content, policy=email.policy.default)
                if message["Delivered-To"] == to:
                    found.append(message)
        return found

    def wait_for_mail(
        self, to: str, *, subject: str = "", count: int = 1, seconds: float = 30
    ) -> EmailMessage:
        """Return the newest mail for `to` once there are `count` whose subject has `subject`."""

        def enough() -> list[EmailMessage]:
            matching = [mail for mail in self.mails(to) if subject in str(mail["Subject"])]
            return matching if len(matching) >= count else []

        return wait_until(enough, seconds=seconds, about=f"mail for {to}")[-1]

    @staticmethod
    def link_in(mail: EmailMessage, pattern: str) -> str:
        """Return the first link in the text part whose URL contains `pattern` (a regex)."""
        part = mail.get_body(("plain",))
        assert part is not None
        for link in re.findall(r"https?://[^\s<>\"]+", part.get_content()):
            if re.search(pattern, link):
                return str(link)
        raise AssertionError(f"no link with {pattern!r} in {mail['Subject']!r}")

    # --- The database and commands ---

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of the stack's own database, read beside the running processes (use ? places)."""
        if self.database_url.startswith("sqlite"):
            with contextlib.closing(
                sqlite3.connect(self.var / "wellread.sqlite3", timeout=20)
            ) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(query, parameters)]
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query.replace("?", "%s"), parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The one value of a query's one row."""
        (row,) = self.rows(query, *parameters)
        (only,) = row.values()
        return only

    def manage(self, *arguments: str, check: bool = True) -> str:
        """Run a management command inside the stack's environment; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    @property
    def demo_password(self) -> str:
        keys = (self.var / "keys.env").read_text()
        return re.findall(r"^DEMO_PASSWORD=(.*)$", keys, re.MULTILINE)[0]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def copy_migrated_database(folder: Path) -> None:
    """Put the migrated test database into `folder`, so that a stack there starts at once.

    SQLite only; call it before any test has written, or after the database was put back.
    """
    from django.db import connections

    settings = connections["default"].settings_dict
    if "sqlite3" in settings["ENGINE"]:
        copy_file(settings["NAME"], folder / "wellread.sqlite3")


@contextlib.contextmanager
def live(folder: Path, **environment: str) -> Iterator[LiveStack]:
    """Run the demo on a fresh database in `folder` until the block ends."""
    with _database() as url, start_stack(folder, database_url=url, **environment) as stack:
        yield stack


@contextlib.contextmanager
def start_stack(
    folder: Path, *, database_url: str = "", seconds: float = 180, **environment: str
) -> Iterator[LiveStack]:
    """Start the supervisor on `folder`, which may hold the data of an earlier start."""
    port = free_port()
    env = {
        **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TZ") if key in os.environ},
        "VAR_DIR": str(folder),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "SENDING_UNDO_SECONDS": "3",
        **({"DATABASE_URL": database_url} if database_url else {}),
        **environment,
    }
    (folder / "supervisor.log").unlink(missing_ok=True)
    supervisor = processes.start(
        "supervisor",
        [sys.executable, "-m", "project.local"],
        log=folder / "supervisor.log",
        env=env,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_until_serving(supervisor, base, seconds)
        stack = LiveStack(
            base, folder, env, supervisor, database_url or f"sqlite:///{folder}/wellread.sqlite3"
        )
        yield stack
    finally:
        supervisor.stop(60)


def _wait_until_serving(supervisor: Running, base: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while "Wellread is ready" not in supervisor.output:
        if not supervisor.alive or time.monotonic() > deadline:
            raise AssertionError(f"The stack did not start:\n{supervisor.output[-6000:]}")
        time.sleep(0.1)
    with urllib.request.urlopen(f"{base}/healthz", timeout=20) as answer:
        assert answer.status == 200


@contextlib.contextmanager
def _database() -> Iterator[str]:
    """A database of its own beside the test database, or none for SQLite in the folder."""
    from django.db import connections

    settings = connections["default"].settings_dict
    if "postgresql" not in settings["ENGINE"]:
        yield ""
        return
    import psycopg
    from psycopg.conninfo import make_conninfo

    parts = {
        "host": settings["HOST"],
        "port": settings["PORT"] or None,
        "user": settings["USER"],
        "password": settings["PASSWORD"] or None,
    }
    name = f"wellread_stack_{uuid.uuid4().hex[:12]}"
    admin = make_conninfo(dbname="postgres", **parts)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        from tests.running.postgres import url_of

        yield url_of(settings, name)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
