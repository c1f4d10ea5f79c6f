"""A real Postfix on loopback, with configuration, queue and log of its own, gone afterwards.

It needs the Debian package `postfix` (or its like) and root, because its master gives up rights
only after it has started. What it takes it hands on to another SMTP server of the test's.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_transport = error:nobody lives here
default_transport = smtp:[127.0.0.1]:{onwards}
transport_maps = inline:{{{{ {piped} = wellread: }}}}
wellread_destination_recipient_limit = 1
smtp_dns_support_level = disabled
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtputf8_enable = yes
message_size_limit = 200000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_sender_restrictions = check_sender_access inline:{{{{
    nobody@wellread.example = 550 5.1.8 not you}}}}
smtpd_recipient_restrictions = check_recipient_access inline:{{{{
    gone@example.org = 550 5.1.1 no such mailbox}}, {{
    later@example.org = 450 4.2.1 greylisted}}, {{
    busy@example.org = 421 4.7.0 too busy}}}}, permit
"""
_MASTER = """\
127.0.0.1:{pipelined} inet n - n - - smtpd
127.0.0.1:{lockstep} inet n - n - - smtpd -o smtpd_discard_ehlo_keywords=pipelining
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
wellread unix - n n - 2 pipe
  flags=Rq user=nobody null_sender=
  argv={folder}/take ${{recipient}}
"""
# Mail to this domain goes to a program, as docs/outcomes.md has bounces go to take_bounce; this
# one keeps what it gets.
PIPED = "piped.wellread.example"
_TAKE = """\
#!/bin/sh
umask 0
printf '%s\\n' "$@" > {folder}/piped/$$.arguments
cat > {folder}/piped/$$.part
mv {folder}/piped/$$.part {folder}/piped/$$.mail
"""


class NoPostfix(Exception):
    """Postfix cannot be started here; the message says why."""


@dataclass(frozen=True, slots=True)
class Postfix:
    """Two ports of one Postfix: with PIPELINING, and without."""

    pipelined: int
    lockstep: int
    log: Path
    # What the pipe got: for each mail NUMBER.arguments, then NUMBER.mail.
    piped: Path


@contextlib.contextmanager
def running(onwards: int) -> Iterator[Postfix]:
    """Start Postfix, which hands what it takes on to the port `onwards`. Raises NoPostfix."""
    program = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin:/sbin")
    if program is None:
        raise NoPostfix("Postfix is not installed (Debian: apt-get install postfix).")
    if os.geteuid() != 0:
        raise NoPostfix("Postfix starts only as root.")
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    found = Postfix(_free_port(), _free_port(), folder / "log", folder / "piped")
    try:
        folder.chmod(0o755)
        for name in ("queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        found.piped.mkdir()
        found.piped.chmod(0o777)
        (folder / "take").write_text(_TAKE.format(folder=folder))
        (folder / "take").chmod(0o755)
        (folder / "main.cf").write_text(_MAIN.format(folder=folder, onwards=onwards, piped=PIPED))
        (folder / "master.cf").write_text(
            _MASTER.format(folder=folder, pipelined=found.pipelined, lockstep=found.lockstep)
        )
        started = _postfix(program, folder, "start")
        if started.returncode:
            raise NoPostfix(f"Postfix did not start:\n{started.stderr}\n{_read(found.log)}")
        try:
            _wait_for(found)
            yield found
        finally:
            _postfix(program, folder, "abort")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postfix(program: str, folder: Path, verb: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program, "-c", str(folder), verb], capture_output=True, text=True, check=False, timeout=60
    )


def _wait_for(found: Postfix) -> None:
    deadline = time.monotonic() + 20
    for port in (found.pipelined, found.lockstep):
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 5) as line,
            ):
                if line.recv(100).startswith(b"220"):
                    line.sendall(b"QUIT\r\n")
                    break
            if time.monotonic() > deadline:
                raise NoPostfix(f"Postfix does not answer:\n{_read(found.log)}")
            time.sleep(0.05)


def _read(log: Path) -> str:
    return log.read_text()[-2000:] if log.exists() else "(no log)"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
