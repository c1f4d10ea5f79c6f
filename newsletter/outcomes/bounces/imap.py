"""A few commands of IMAP over TLS, each within limits of time and size."""

import contextlib
import imaplib
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from newsletter.outcomes.bounces.parts import MAX_OCTETS
from newsletter.outcomes.record import without_addresses

# Seconds for connecting and for each answer.
PATIENCE = 15.0
# How many mails are asked for at once which of them wait: a line of numbers, far below what
# imaplib reads of one line.
WINDOW = 5000
# More than a mail's share and the fields around it comes from no server that is well.
_LARGEST = MAX_OCTETS + 64 * 1024


class MailboxTrouble(Exception):
    """The mailbox cannot be read; the message is for staff, and names no reader."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The first MAX_OCTETS of a mail, and when the server put it into the mailbox."""

    content: bytes
    at: datetime | None


class _Bounded(imaplib.IMAP4_SSL):
    def read(self, size: int) -> bytes:
        if size > _LARGEST:
            raise self.abort("the server sends more than was asked for")
        return super().read(size)


class Connection:
    """One folder of one mailbox. Every method raises MailboxTrouble, and nothing else."""

    def __init__(self, host: str, port: int, *, patience: float = PATIENCE) -> None:
        context = ssl.create_default_context()
        with _told():
            self._imap = _Bounded(host, port, ssl_context=context, timeout=patience)
        # How many mails lie in the folder.
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        # After trouble the server is not spoken to again: it would be waited for once more.
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            if kind is None:
                self._imap.logout()
            else:
                self._imap.shutdown()

    def log_in(self, user: str, password: str, folder: str) -> None:
        with _told():
            if "AUTH=PLAIN" in self._imap.capabilities:
                # Takes any letters; LOGIN takes ASCII alone.
                self._imap.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            else:
                self._imap.login(_quoted(user), password)
            (number,) = _fine(self._imap.select(_quoted(folder)))
            self._number = int(number or 0)

    def waiting(self) -> Iterator[str]:
        """Yield the numbers (UID) of the mails that nobody has dealt with, oldest first."""
        for first in range(1, self._number + 1, WINDOW):
            window = f"{first}:{min(first + WINDOW - 1, self._number)}"
            found = self._uid("SEARCH", window, "UNDELETED", "UNFLAGGED")
            yield from (uid for line in found if line for uid in line.decode().split())

    def fetch(self, uid: str) -> Fetched | None:
        """Return the mail, which stays unread; None when somebody took it away meanwhile."""
        said = self._uid("FETCH", uid, f"(INTERNALDATE BODY.PEEK[]<0.{MAX_OCTETS}>)")
        contents = [one[1] for one in said if isinstance(one, tuple)]
        if not contents:
            return None
        around = b" ".join(one[0] if isinstance(one, tuple) else one or b"" for one in said)
        with _told():
            came = imaplib.Internaldate2tuple(around)
            at = datetime.fromtimestamp(time.mktime(came), UTC) if came else None
        return Fetched(contents[0], at)

    def delete(self, uid: str) -> None:
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")

    def flag(self, uid: str) -> None:
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Flagged)")

    def expunge(self) -> None:
        """Remove what was deleted, also what an earlier run had no time to."""
        with _told():
            _fine(self._imap.expunge())

    def _uid(self, command: str, *args: str) -> list[Any]:
        with _told():
            return _fine(self._imap.uid(command, *args))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """ValueError is what imaplib raises for an answer that is no ASCII or no number."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError, OverflowError) as error:
        raise MailboxTrouble(_words(error)) from error


def _fine(answer: "tuple[str, list[Any]]") -> list[Any]:
    kind, said = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(said[0] if said else kind)
    return said


def _words(error: Exception) -> str:
    """Return what the server or the system said, without an address."""
    said = error.args[0] if len(error.args) == 1 else str(error)
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
    return without_addresses(re.sub(r"\s+", " ", text)).strip()[:300] or type(error).__name__


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
