"""A real SMTP server that remembers every byte and misbehaves on request."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Self

from tests.running.listening import listening

Step = Literal["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "RSET", "QUIT"]
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 52428800")


@dataclass(frozen=True, slots=True)
class Caught:
    """One accepted message. `wire` is what came over the line, `content` the same unstuffed.

    `begun` is when the first line of its content was here, by `time.monotonic`.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    wire: bytes
    connection: int
    begun: float

    @property
    def recipient(self) -> str:
        (only,) = self.recipients
        return only


@dataclass(slots=True)
class _Rule:
    step: Step
    reply: bytes | None  # None: drop the line
    when: Callable[[str], bool]
    times: float
    after_bytes: int | None = None


@dataclass
class SmtpCatcher:
    """Accepts everything on 127.0.0.1 until told otherwise.

    catcher.refuse("RCPT", "550 5.1.1 no such mailbox", when="gone@example.org")
    catcher.refuse("CONTENT", "451 4.3.0 try later", times=1)
    catcher.drop("CONTENT")                    closes after the content, before the reply
    catcher.drop("CONTENT", after_bytes=100)   closes in the middle of the content
    """

    extensions: tuple[str, ...] = EXTENSIONS
    messages: list[Caught] = field(default_factory=list)
    # Every line a client sent outside of content, in order of arrival.
    commands: list[str] = field(default_factory=list)
    # Seconds before each reply to content: a slow relay.
    delay: float = 0.0
    connections: int = 0
    _rules: list[_Rule] = field(default_factory=list)
    _open: set[socket.socket] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        self._open_until_exit = contextlib.ExitStack()
        self.port = self._open_until_exit.enter_context(
            listening(lambda line: _Conversation(self, line).run())
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._open_until_exit.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        return [recipient for caught in self.messages for recipient in caught.recipients]

    def refuse(
        self,
        step: Step,
        reply: str,
        *,
        when: str | Callable[[str], bool] = "",
        times: float = float("inf"),
    ) -> None:
        """Answer `reply` at `step`, for lines (for CONTENT: recipients) that contain `when`."""
        self._rules.append(_Rule(step, reply.encode(), _matcher(when), times))

    def drop(
        self,
        step: Step,
        *,
        when: str | Callable[[str], bool] = "",
        times: float = 1,
        after_bytes: int | None = None,
    ) -> None:
        """Close the line at `step` without a reply."""
        self._rules.append(_Rule(step, None, _matcher(when), times, after_bytes))

    def behave(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def clear(self) -> None:
        with self._changed:
            self.messages.clear()
            self.commands.clear()

    def to(self, recipient: str) -> list[Caught]:
        return [caught for caught in list(self.messages) if recipient in caught.recipients]

    def wait_for(
        self, count: int = 1, *, to: str | None = None, seconds: float = 20
    ) -> list[Caught]:
        """Return the messages once there are `count` of them; AssertionError if they stay out."""
        found: list[Caught] = []

        def enough() -> bool:
            found[:] = self.messages if to is None else self.to(to)
            return len(found) >= count

        with self._changed:
            if not self._changed.wait_for(enough, seconds):
                raise AssertionError(f"{len(found)} of {count} messages after {seconds} s")
        return found

    def rule_for(self, step: Step, text: str) -> _Rule | None:
        with self._changed:
            for rule in self._rules:
                if rule.step == step and rule.times > 0 and rule.when(text):
                    rule.times -= 1
                    return rule
        return None

    def caught(self, message: Caught) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    @contextlib.contextmanager
    def following(self, connection: socket.socket) -> Iterator[int]:
        with self._changed:
            self.connections += 1
            number = self.connections
            self._open.add(connection)
        try:
            yield number
        finally:
            self._open.discard(connection)


def _matcher(when: str | Callable[[str], bool]) -> Callable[[str], bool]:
    if callable(when):
        return when
    wanted = when.lower()
    return lambda text: wanted in text.lower()


class _Dropped(ConnectionError):
    """We closed the line on purpose."""


class _Conversation:
    def __init__(self, catcher: SmtpCatcher, connection: socket.socket) -> None:
        self.catcher = catcher
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.sender: str | None = None
        self.recipients: list[str] = []

    def run(self) -> None:
        with self.catcher.following(self.connection) as self.number:
            self.answer("CONNECT", "", b"220 catcher.test ESMTP")
            while line := self.lines.readline():
                text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                self.catcher.commands.append(text)
                verb = text.split(" ", 1)[0].upper()
                if verb == "QUIT":
                    self.answer("QUIT", text, b"221 2.0.0 bye")
                    return
                self.command(verb, text)

    def command(self, verb: str, text: str) -> None:
        match verb:
            case "EHLO":
                names = ["catcher.test", *self.catcher.extensions]
                ends = ["-"] * (len(names) - 1) + [" "]
                reply = "\r\n".join(
                    f"250{end}{name}" for end, name in zip(ends, names, strict=True)
                )
                self.answer("EHLO", text, reply.encode())
            case "HELO" | "NOOP":
                self.send(b"250 2.0.0 ok")
            case "RSET":
                self.sender, self.recipients = None, []
                self.answer("RSET", text, b"250 2.0.0 ok")
            case "MAIL" if self.sender is not None:
                self.send(b"503 5.5.1 nested MAIL")
            case "MAIL":
                if self.answer("MAIL", text, b"250 2.1.0 ok"):
                    self.sender = _path(text)
            case "RCPT" if self.sender is None:
                self.send(b"503 5.5.1 MAIL first")
            case "RCPT":
                if self.answer("RCPT", text, b"250 2.1.5 ok"):
                    self.recipients.append(_path(text))
            case "DATA" if not self.recipients:
                self.send(b"554 5.5.1 no valid recipients")
            case "DATA":
                if self.answer("DATA", text, b"354 go ahead"):
                    self.content()
            case _:
                self.send(b"500 5.5.2 unknown command")

    def content(self) -> None:
        about = " ".join(self.recipients)
        rule = self.catcher.rule_for("CONTENT", about)
        wire = bytearray()
        line = self.lines.readline()
        begun = time.monotonic()
        while line != b".\r\n":
            if not line:
                return
            wire += line
            if rule and rule.after_bytes is not None and len(wire) >= rule.after_bytes:
                self.hang_up()
            line = self.lines.readline()
        time.sleep(self.catcher.delay)
        if rule and rule.reply is None:
            self.hang_up()
        if rule and rule.reply is not None:
            self.send(rule.reply)
        else:
            content = b"".join(
                line[1:] if line.startswith(b".") else line for line in wire.splitlines(True)
            )
            caught = Caught(
                self.sender or "", tuple(self.recipients), content, bytes(wire), self.number, begun
            )
            # Recorded before the reply: who has the reply can rely on finding the message here.
            self.catcher.caught(caught)
            self.send(b"250 2.0.0 accepted")
        self.sender, self.recipients = None, []

    def answer(self, step: Step, text: str, usual: bytes) -> bool:
        """Send the reply that a rule asks for, or the usual one; tell whether it was positive."""
        rule = self.catcher.rule_for(step, text)
        if rule and rule.reply is None:
            self.hang_up()
        reply = rule.reply if rule and rule.reply is not None else usual
        self.send(reply)
        if reply.startswith(b"421"):
            self.hang_up()
        return reply[:1] in b"23"

    def send(self, reply: bytes) -> None:
        self.connection.sendall(reply + b"\r\n")

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        raise _Dropped


def _path(command: str) -> str:
    return command[command.index("<") + 1 : command.index(">")]
