"""What goes out and what comes back."""

import re
from enum import StrEnum
from typing import NamedTuple, Self

MAX_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
# What the delivery row keeps of a reply.
MAX_REPLY = 300

# One plain mailbox and nothing else: a comma, a blank or a bracket could name a second reader
# (invariant 8), a line break could start a command of its own.
_PLAIN = r"[^\s\x00-\x1f\x7f\ud800-\udfff<>(),:;\"\\@]+"
_ONE_ADDRESS = re.compile(f"{_PLAIN}@{_PLAIN}")


_NOT_ONE = "The recipient is not one plain address."


class UnsafeEnvelope(ValueError):
    """An address or content that must not reach a relay."""


class Outcome(StrEnum):
    """What became of one message, in the words that the rest of the house acts on."""

    ACCEPTED = "accepted"
    # Refused for good, for a reason that lies with the reader's mailbox.
    PERMANENT = "permanent"
    # Not taken now; later may go better.
    TEMPORARY = "temporary"
    # Refused for a reason that lies with us: authentication, reputation, configuration.
    OURS = "ours"
    # The line broke after the content went out: nobody can know.
    UNKNOWN = "unknown"


class _Envelope(NamedTuple):
    sender: str
    recipient: str
    content: bytes
    dot_free: bool = False


class Envelope(_Envelope):
    """One message for one recipient: there is no way to name a second one (invariant 8).

    `sender` is where bounces go; "" is the null return path. `content` is the whole message
    with CRLF line ends, not dot-stuffed. Raises UnsafeEnvelope for anything else.

    `dot_free` says that no line of the content begins with a dot, so that stuffing it for SMTP
    changes nothing: looking for one takes 16 µs in 26 kB, which is more than sending it.
    """

    __slots__ = ()

    def __new__(cls, sender: str, recipient: str, content: bytes, dot_free: bool = False) -> Self:
        if not is_one_address(recipient):
            raise UnsafeEnvelope(_NOT_ONE)
        if sender and not is_one_address(sender):
            raise UnsafeEnvelope("The envelope sender is not one plain address.")
        # A bare CR or LF lets two relays disagree about where a message ends (SMTP smuggling).
        pairs = content.count(b"\r\n")
        if content.count(b"\n") != pairs or content.count(b"\r") != pairs:
            raise UnsafeEnvelope("The content holds a bare CR or LF.")
        if not content.endswith(b"\r\n"):
            raise UnsafeEnvelope("The content does not end with CRLF.")
        return super().__new__(cls, sender, recipient, content, dot_free)

    @classmethod
    def of_compiled(cls, sender: str, recipient: str, content: bytes) -> Self:
        """Return an envelope for a copy of a message whose first copy was checked whole.

        Looking for bare line ends takes longer than making the copy did, and the copies of one
        message differ only in values that were refused if they held any. No line of a compiled
        message begins with a dot (`wire.message`). The sender is the first copy's, or made of its
        domain, numbers and a signature (`return_path`).
        """
        if not is_one_address(recipient):
            raise UnsafeEnvelope(_NOT_ONE)
        return tuple.__new__(cls, (sender, recipient, content, True))


class Receipt(NamedTuple):
    """What the relay said to one message; `code` is None when it said nothing.

    `about_the_line` means that any other reader would have got the same answer: no connection,
    no login, the sender refused. Then the row need not count an attempt, and whoever sends does
    better to stop and wait than to collect the same answer again.
    """

    outcome: Outcome
    code: int | None = None
    enhanced: str = ""
    reply: str = ""
    about_the_line: bool = False

    def as_line(self) -> str:
        """Return `550 5.1.1 text`, as a delivery row keeps it; `read_line` reads it back."""
        parts = (str(self.code) if self.code else "", self.enhanced, self.reply)
        return " ".join(filter(None, parts))[:MAX_REPLY]


_LINE = re.compile(r"(?:([2-5]\d\d)\b)? ?(?:([245]\.\d{1,3}\.\d{1,3})\b)? ?(.*)", re.DOTALL)


def read_line(line: str) -> tuple[int | None, str, str]:
    """Return (code, enhanced code or "", text) of a line that `Receipt.as_line` wrote."""
    match = _LINE.match(line)
    code, enhanced, text = match.groups() if match else (None, None, line)
    return (int(code) if code else None, enhanced or "", text)


_ADDRESS = re.compile(r"[^\s<>@()\"',:;]+(?=@[^\s<>@]+)")


def without_addresses(text: str) -> str:
    """Return a relay's words fit for a log or for all staff: replies often name the reader."""
    return _ADDRESS.sub("…", text)


def is_one_address(address: str) -> bool:
    return len(address) <= MAX_ADDRESS and _ONE_ADDRESS.fullmatch(address) is not None
