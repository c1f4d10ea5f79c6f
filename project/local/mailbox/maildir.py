"""The mailbox on disk: a Maildir that any mail program reads, and a list of what is in it.

The list (`index`, a line a message) is there so that thousands of messages are shown and searched
without opening one. It can always be made again from the messages.
"""

import email.header
import email.parser
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_FOLDERS = ("tmp", "new", "cur")
_count = itertools.count()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list. `at` is in seconds since 1970, `size` in bytes."""

    key: str
    at: float
    sender: str
    recipient: str
    subject: str
    size: int

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


@dataclass(frozen=True, slots=True)
class Mailbox:
    folder: Path

    @property
    def index(self) -> Path:
        return self.folder / "index"

    def prepare(self) -> None:
        """Make the folders, and the list again if it does not fit the messages."""
        for name in _FOLDERS:
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        listed = {entry.key for entry in self.entries()}
        if listed != set(self._keys()):
            self._list_anew()

    def add(self, sender: str, recipients: list[str], content: bytes) -> str:
        """Keep a message whole or not at all; returns its key. `content` is what SMTP carried."""
        key = f"{time.time_ns() // 1000:016d}.{os.getpid()}_{next(_count)}.wellread"
        temporary = self.folder / "tmp" / key
        # The envelope, as a mail server writes it on delivery (RFC 5321 section 4.4).
        envelope = f"Return-Path: <{sender}>\r\nDelivered-To: {', '.join(recipients)}\r\n"
        temporary.write_bytes(envelope.encode() + content)
        temporary.rename(self.folder / "new" / key)
        line = _line(_entry(key, envelope.encode() + content, len(content)))
        with self.index.open("ab", buffering=0) as index:
            index.write(line)
        return key

    def entries(self) -> Iterator[Entry]:
        """Every message, newest first."""
        try:
            lines = self.index.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in reversed(lines):
            if entry := _parse(line):
                yield entry

    def search(self, words: str) -> list[Entry]:
        """The messages whose recipient or subject contains `words`, newest first."""
        wanted = words.strip().lower()
        return [
            entry
            for entry in self.entries()
            if wanted in entry.recipient.lower() or wanted in entry.subject.lower()
        ]

    def read(self, key: str) -> tuple[str, str, bytes]:
        """Return sender, recipient and the bytes that SMTP carried. Raises KeyError."""
        for folder in ("new", "cur"):
            # A mail program that read it added its flags behind a colon.
            for path in (self.folder / folder).glob(f"{_harmless(key)}*"):
                sender, recipient, content = path.read_bytes().split(b"\r\n", 2)
                return (
                    sender.decode().removeprefix("Return-Path: <").removesuffix(">"),
                    recipient.decode().removeprefix("Delivered-To: "),
                    content,
                )
        raise KeyError(key)

    def empty(self) -> int:
        """Delete every message; returns how many."""
        count = 0
        self.index.unlink(missing_ok=True)
        for folder in ("new", "cur"):
            for path in (self.folder / folder).iterdir():
                path.unlink(missing_ok=True)
                count += 1
        return count

    def _keys(self) -> Iterator[str]:
        for folder in ("new", "cur"):
            for path in (self.folder / folder).iterdir():
                yield path.name.partition(":")[0]

    def _list_anew(self) -> None:
        lines = []
        for folder in ("new", "cur"):
            for path in (self.folder / folder).iterdir():
                content = path.read_bytes()
                lines.append(_line(_entry(path.name.partition(":")[0], content, len(content))))
        temporary = self.folder / "tmp" / "index"
        temporary.write_bytes(b"".join(sorted(lines)))
        temporary.rename(self.index)


def _entry(key: str, content: bytes, size: int) -> Entry:
    head = content.split(b"\r\n\r\n", 1)[0]
    headers = email.parser.BytesHeaderParser().parsebytes(head)
    return Entry(
        key=key,
        at=int(key.partition(".")[0]) / 1e6,
        sender=headers.get("Return-Path", "").strip("<> "),
        recipient=headers.get("Delivered-To", ""),
        subject=_decoded(headers.get("Subject", "")),
        size=size,
    )


def _decoded(value: object) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(str(value))))
    except (LookupError, ValueError):  # an unknown charset: shown as it came
        return str(value)


def _line(entry: Entry) -> bytes:
    fields = (entry.key, entry.sender, entry.recipient, entry.subject, str(entry.size))
    return "\t".join(" ".join(field.split()) for field in fields).encode(errors="replace") + b"\n"


def _parse(line: bytes) -> Entry | None:
    """None for a line that a power cut left half written."""
    fields = line.decode(errors="replace").split("\t")
    if len(fields) != 5 or not fields[4].isdigit():
        return None
    key, sender, recipient, subject, size = fields
    digits = key.partition(".")[0]
    if not digits.isdigit():
        return None
    return Entry(key, int(digits) / 1e6, sender, recipient, subject, int(size))


def _harmless(key: str) -> str:
    """A key has no way out of its folder and no pattern in it. Raises KeyError."""
    if not key or not all(letter.isalnum() or letter in "._" for letter in key) or ".." in key:
        raise KeyError(key)
    return key
