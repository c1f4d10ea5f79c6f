"""A relay as a pure function of what it hears: strict about us, and faulty on request.

Its book of committed messages is the truth that every outcome is held against.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

PIPELINED = "PIPELINING"


class Fault(Enum):
    """What it does instead of answering."""

    DROP = "closes the line"
    # Only after the content: the message is kept, and the answer to it is lost (RFC 1047).
    COMMIT_AND_DROP = "takes the message and closes the line"


# What to say at a step to a text (the command, or the recipient): None for the usual.
Script = Callable[[str, str], bytes | Fault | None]


@dataclass
class Book:
    """What became of all messages, over all connections."""

    committed: list[tuple[str, bytes]] = field(default_factory=list)
    # Whatever a relay may rightly refuse to understand.
    offences: list[str] = field(default_factory=list)

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.committed]


@dataclass
class PretendedRelay:
    """One connection. `hear` takes octets and returns octets; `closed` says that it hung up."""

    book: Book
    script: Script = lambda step, text: None
    pipelining: bool = True
    # Answers DATA with 354 although nobody can receive the message (RFC 2920 section 3.1).
    eager: bool = False
    closed: bool = False
    heard: bytes = b""
    sender: str | None = None
    recipient: str | None = None
    _in_content: bool = False

    def hear(self, octets: bytes) -> bytes:
        """Return the answer. What comes after the line was closed is lost."""
        said = b""
        self.heard += octets
        commands = 0
        while not self.closed:
            if self._in_content:
                answer = self._end_of_content()
            else:
                line, end, rest = self.heard.partition(b"\r\n")
                if not end:
                    break
                self.heard = rest
                commands += 1
                if commands > 1 and not self.pipelining:
                    self.book.offences.append("pipelined without being asked to")
                answer = self._command(line.decode())
            if answer is None:
                break
            said += answer
        return said

    def _command(self, line: str) -> bytes:
        verb = line[:4]
        if verb == "QUIT":
            self.closed = True
            return b"221 2.0.0 bye\r\n"
        if verb not in {"MAIL", "RCPT", "DATA", "RSET"} or not line.isprintable():
            self.book.offences.append(f"no command: {line!r}")
            return b"500 5.5.2 what?\r\n"
        if verb == "RSET":
            self.sender = self.recipient = None
            return self._say(verb, line, b"250 2.0.0 ok")
        if verb == "MAIL":
            if self.sender is not None:
                self.book.offences.append("MAIL within a transaction")
            return self._say(verb, line, b"250 2.1.0 ok", lambda: self._set(sender=_path(line)))
        if verb == "RCPT":
            if self.sender is None:
                return b"503 5.5.1 MAIL first\r\n"
            return self._say(verb, line, b"250 2.1.5 ok", lambda: self._set(recipient=_path(line)))
        if self.recipient is None and not (self.eager and self.sender is not None):
            return b"554 5.5.1 no valid recipients\r\n"
        return self._say(verb, line, b"354 go ahead", lambda: self._set(in_content=True))

    def _end_of_content(self) -> bytes | None:
        if self.heard.startswith(b".\r\n"):
            content, self.heard = b"", self.heard[3:]
        else:
            content, end, rest = self.heard.partition(b"\r\n.\r\n")
            if not end:
                return None
            content, self.heard = content + b"\r\n", rest
        recipient, self.sender, self.recipient = self.recipient, None, None
        self._in_content = False
        if recipient is None:
            if content:
                self.book.offences.append("content for nobody")
            return b"554 5.5.1 no valid recipients\r\n"
        message = (recipient, content.replace(b"\r\n..", b"\r\n."))
        fault = self.script("FINAL", recipient)
        if fault is Fault.COMMIT_AND_DROP or fault is None or _is_yes(fault):
            self.book.committed.append(message)
        return self._answer(fault, b"250 2.0.0 taken")

    def _say(
        self, step: str, text: str, usual: bytes, then: Callable[[], None] = lambda: None
    ) -> bytes:
        fault = self.script(step, text)
        answer = self._answer(fault, usual)
        if answer[:1] in (b"2", b"3"):
            then()
        return answer

    def _answer(self, fault: bytes | Fault | None, usual: bytes) -> bytes:
        if isinstance(fault, Fault):
            self.closed = True
            return b""
        answer = usual if fault is None else fault
        if answer.startswith(b"421"):
            self.closed = True
        return answer + b"\r\n"

    def _set(
        self, *, sender: str | None = None, recipient: str | None = None, in_content: bool = False
    ) -> None:
        self.sender = self.sender if sender is None else sender
        self.recipient = self.recipient if recipient is None else recipient
        self._in_content = in_content


def _is_yes(fault: bytes | Fault) -> bool:
    return isinstance(fault, bytes) and fault.startswith(b"2")


def _path(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]
