"""The environment of an embedded installation: keys made once, ports chosen at each start.

Everything lives in one folder, `var/` (VAR_DIR chooses another). Stdlib only: this is read before
Django is.
"""

import json
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from project.local import valkey

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_PORT = 8000
DEFAULT_SMTP_PORT = 2525
# Spoken words, because somebody types it.
_WORDS = (
    "amber apple april aspen autumn barley basil beech birch bloom branch breeze bridge brook "
    "candle canvas cedar cherry clay cloud clover coast copper cotton daisy dawn delta dune elder "
    "ember fern field flint forest garden ginger glade grove harbor hazel heather hill island ivy "
    "jasmine juniper kettle lake lantern larch laurel lemon linen maple marble meadow mint moss "
    "oak olive orchard pebble pepper pine plum poplar quartz quiet raven reed ridge river rosemary "
    "rowan saffron sage sand sea shell silver slate spruce stone summer thyme tulip valley velvet "
    "walnut water willow wind winter wool"
)


class Unusable(Exception):
    """The environment cannot be used; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one embedded installation lives and at which ports it answers."""

    var: Path
    port: int
    smtp_port: int

    @property
    def base_url(self) -> str:
        return os.environ.get("BASE_URL") or f"http://127.0.0.1:{self.port}"

    @property
    def mailbox(self) -> Path:
        return self.var / "mailbox"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"


def var_dir() -> Path:
    """Return the folder of this installation, made if need be. Raises Unusable."""
    path = Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise Unusable(
            f"Wellread keeps its data in {path}, which cannot be written: {error.strerror}. "
            "Set VAR_DIR to a folder that can."
        ) from error
    return path


def choose_place() -> Place:
    """Return where to run. Raises Unusable for a taken or impossible port."""
    raw = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not (raw.isascii() and raw.isdigit()) or not 1 <= int(raw) <= 65535:
        raise Unusable("PORT must be a number from 1 to 65535: make run PORT=8001")
    port = int(raw)
    if not is_free(port):
        raise Unusable(f"Port {port} is taken. Choose another: make run PORT={port % 65535 + 1}")
    smtp_port = DEFAULT_SMTP_PORT if is_free(DEFAULT_SMTP_PORT) else _any_port()
    return Place(var_dir(), port, smtp_port)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keys(var: Path) -> dict[str, str]:
    """Return this installation's own secrets, made at the first call and kept (mode 0600).

    Losing the file would break every link in mails already sent and the proof of the ledger.
    Raises Unusable when it is damaged.
    """
    path = var / "keys.env"
    if not path.exists():
        _write_privately(path, _new_keys())
    try:
        pairs = (line.partition("=") for line in path.read_text().splitlines() if line.strip())
        found = {name: value for name, _, value in pairs if not name.startswith("#")}
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error
    missing = [name for name in _new_keys() if not found.get(name)]
    if missing == ["FACTOR_KEYS"]:
        # The folder was made before there was this key; secrets that stand there get sealed.
        found["FACTOR_KEYS"] = _new_keys()["FACTOR_KEYS"]
        _write_privately(path, found)
    elif missing:
        raise Unusable(
            f"{path} lacks {', '.join(missing)}. It holds the keys of every link and of the "
            "consent ledger: restore it from a backup, or delete the whole folder to begin anew."
        )
    return found


def _new_keys() -> dict[str, str]:
    words = _WORDS.split()
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "TOKEN_KEYS": f"1:{secrets.token_hex(32)}",
        "LEDGER_KEYS": f"1:{secrets.token_hex(32)}",
        "SUPPRESSION_KEYS": f"1:{secrets.token_hex(32)}",
        "FACTOR_KEYS": f"1:{secrets.token_hex(32)}",
        "DEMO_PASSWORD": "-".join(secrets.choice(words) for _ in range(4)),
    }


def _write_privately(path: Path, values: dict[str, str]) -> None:
    """Written whole or not at all, and never readable by others, not even for a moment."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".keys-")  # 0600
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{key}={value}\n" for key, value in values.items())
        file.flush()
        os.fsync(file.fileno())
    Path(name).rename(path)


def environment(place: Place) -> dict[str, str]:
    """Return what every process of the installation needs to be told; the shell's own wins."""
    ours = {
        **keys(place.var),
        "EMBEDDED": "true",
        "VAR_DIR": str(place.var),
        "PORT": str(place.port),
        "BASE_URL": place.base_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{place.smtp_port}?health=yes",
        "REDIS_URL": valkey.url(place.valkey),
        "DEFAULT_FROM_EMAIL": "hello@wellread.example",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    given = {name: value for name, value in os.environ.items() if value != ""}
    if not given.keys() & {"EMAIL_URL", "ESP"}:
        # Mail goes to the local mailbox, which believes everybody.
        ours["PROVE_SENDER_DOMAINS"] = "false"
    return {**ours, **given}


def remember(place: Place) -> None:
    """Note the ports, so that manage.py in another window reaches the same services."""
    note = json.dumps({"port": place.port, "smtp_port": place.smtp_port})
    temporary = place.var / ".place.json"
    temporary.write_text(note)
    temporary.rename(place.var / "place.json")


def adopt() -> None:
    """Give manage.py the embedded installation's environment, where one was set up here and the
    shell brings no SECRET_KEY of its own."""
    if os.environ.get("SECRET_KEY"):
        return
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute()
    try:
        noted = json.loads((var / "place.json").read_text())
        place = Place(var, int(noted["port"]), int(noted["smtp_port"]))
    except (OSError, ValueError, KeyError):
        return
    os.environ.update(environment(place))
