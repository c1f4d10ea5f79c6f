"""An IMAP server over TLS with one folder, which answers as it is told and forgets nothing."""

import base64
import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from newsletter.outcomes.bounces.mailbox import Mailbox
from tests.running.listening import listening

USER, PASSWORD = "bounces@here.example", 'p"ä\\ss'
CAME = "23-Nov-2026 03:00:00 +0000"


@dataclass
class Kept:
    """One mail in the folder."""

    uid: int
    content: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class ImapServer:
    """What comes before an answer can be scripted: a reply of its own, or what happens instead.

    server.script = lambda line: b"NO try later" if "LOGIN" in line else None
    """

    context: ssl.SSLContext
    folder: str = "INBOX"
    plain: bool = True
    # Of each command's line: a tagged answer to give instead, or None. May raise ConnectionError
    # to drop the line, or wait.
    script: Callable[[str], bytes | None] = lambda line: None
    # How many octets a mail is said to have; None for the truth.
    promised: int | None = None
    kept: list[Kept] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    connections: int = 0
    _next: int = 1

    def put(self, *contents: bytes) -> None:
        for content in contents:
            self.kept.append(Kept(self._next, content))
            self._next += 1

    def __enter__(self) -> Self:
        self._open_until_exit = contextlib.ExitStack()
        self.port = self._open_until_exit.enter_context(listening(self._serve))
        return self

    def __exit__(self, *_: object) -> None:
        self._open_until_exit.close()

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(20)
        with self.context.wrap_socket(line, server_side=True) as secured:
            _Conversation(self, secured).run()

    @property
    def url(self) -> str:
        return f"imaps://bounces%40here.example:p%22%C3%A4%5Css@127.0.0.1:{self.port}/{self.folder}"

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox.from_url(self.url)


class _Conversation:
    def __init__(self, server: ImapServer, line: socket.socket) -> None:
        self.server, self.line = server, line
        self.stream = line.makefile("rwb")
        server.connections += 1

    def run(self) -> None:
        self._say(b"* OK ready")
        for octets in self.stream:
            text = octets.decode().strip()
            tag, _, command = text.partition(" ")
            self.server.lines.append(command)
            answer = self.server.script(command)
            if answer is None:
                answer = self._answer(command)
            self._say(tag.encode() + b" " + answer)
            if command == "LOGOUT":
                return

    def _say(self, octets: bytes) -> None:
        self.stream.write(octets + b"\r\n")
        self.stream.flush()

    def _answer(self, command: str) -> bytes:
        verb, _, rest = command.removeprefix("UID ").partition(" ")
        method = getattr(self, f"_{verb.lower()}", None)
        return method(rest) if method else b"BAD unknown command"

    def _capability(self, rest: str) -> bytes:
        self._say(b"* CAPABILITY IMAP4rev1" + (b" AUTH=PLAIN" if self.server.plain else b""))
        return b"OK done"

    def _authenticate(self, rest: str) -> bytes:
        self._say(b"+ ")
        given = base64.b64decode(self.stream.readline()).decode()
        right = given == f"\0{USER}\0{PASSWORD}"
        return (
            b"OK in" if right else b"NO [AUTHENTICATIONFAILED] wrong password for ada@here.example"
        )

    def _login(self, rest: str) -> bytes:
        right = rest == '"bounces@here.example" "plain \\"word\\""'
        return b"OK in" if right else b"NO wrong password"

    def _select(self, rest: str) -> bytes:
        if rest != f'"{self.server.folder}"':
            return b"NO no such folder"
        self._say(b"* %d EXISTS" % len(self.server.kept))
        return b"OK [READ-WRITE] selected"

    def _search(self, rest: str) -> bytes:
        window, *flags = rest.split()
        assert flags == ["UNDELETED", "UNFLAGGED"]
        first, last = map(int, window.split(":"))
        found = [
            b"%d" % one.uid
            for one in self.server.kept[first - 1 : last]
            if not one.flags & {"\\Deleted", "\\Flagged"}
        ]
        self._say(b" ".join([b"* SEARCH", *found]))
        return b"OK found"

    def _fetch(self, rest: str) -> bytes:
        match = re.fullmatch(r"(\d+) \(INTERNALDATE BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
        assert match, rest
        for number, one in enumerate(self.server.kept, 1):
            if one.uid == int(match[1]):
                content = one.content[: int(match[2])]
                said = f'* {number} FETCH (UID {one.uid} INTERNALDATE "{CAME}" BODY[]<0> '
                size = self.server.promised or len(content)
                self.stream.write(said.encode() + b"{%d}\r\n" % size + content)
                self._say(b")")
        return b"OK fetched"

    def _store(self, rest: str) -> bytes:
        uid, action, flag = rest.split()
        assert action == "+FLAGS.SILENT"
        for one in self.server.kept:
            if one.uid == int(uid):
                one.flags.add(flag.strip("()"))
        return b"OK stored"

    def _expunge(self, rest: str) -> bytes:
        self.server.kept[:] = [one for one in self.server.kept if "\\Deleted" not in one.flags]
        return b"OK expunged"

    def _logout(self, rest: str) -> bytes:
        self._say(b"* BYE")
        return b"OK bye"
