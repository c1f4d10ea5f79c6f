"""A PgBouncer of our own in front of a PostgreSQL of our own, pooling by transaction.

It needs the Debian package `pgbouncer` (or its like). It refuses to run as root; then it is started
as nobody. It listens on loopback, and keeps nothing.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from project import leash

_SETTINGS = """\
[databases]
* = host={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
server_login_retry = 1
logfile = {folder}/log
"""
# Fewer than a few workers would hold by themselves, so that they have to take turns.
CONNECTIONS = 6
# Whom to become when we are root.
ACCOUNT = "nobody"


class NoPgBouncer(Exception):
    """PgBouncer cannot be started here; the message says why."""


@dataclass(slots=True)
class PgBouncer:
    """A pooler that runs, and may be killed and started again."""

    port: int
    user: str
    folder: Path
    _argv: list[str]
    _process: "subprocess.Popen[bytes] | None" = None

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{self.user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Raises NoPgBouncer."""
        account = pwd.getpwnam(ACCOUNT)
        self._process = leash.start(
            self._argv,
            user=(account.pw_uid, account.pw_gid) if os.geteuid() == 0 else None,
            env={"PATH": os.defpath},
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.folder / "log"
                raise NoPgBouncer(
                    f"PgBouncer did not start:\n{log.read_text() if log.exists() else '(no log)'}"
                )
            time.sleep(0.05)

    def kill(self) -> None:
        """Every connection through it is lost at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def running(*, host: str, user: str) -> Iterator[PgBouncer]:
    """Start PgBouncer in front of the server at `host`, the folder of its socket, where `user` may
    come in without a password. Raises NoPgBouncer.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/sbin")
    if program is None:
        raise NoPgBouncer("PgBouncer is not installed (Debian: apt-get install pgbouncer).")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    try:
        (folder / "users").write_text(f'"{user}" ""\n')
        (folder / "settings").write_text(
            _SETTINGS.format(server=host, port=port, folder=folder, connections=CONNECTIONS)
        )
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, ACCOUNT)
        found = PgBouncer(port, user, folder, [program, str(folder / "settings")])
        found.start()
        try:
            yield found
        finally:
            found.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
