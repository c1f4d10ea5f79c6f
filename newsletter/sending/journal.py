"""What a worker process did, on its own host's disk before anybody else knows of it.

The database learns the outcomes of a chunk together, some tenths of a second late. Here each step
is appended at once, in a third of a microsecond: *taken*, just before the transport may write the
message's first byte, and *answered*. The file is mapped into memory, so that what was appended is
in the page cache and outlives a worker that is killed at any instruction. Whoever reads it then
(`proofs`) knows what was accepted, what certainly never went out, and that only what was taken and
not answered is unknown.

Only while the machine runs, though: after a power cut the last of it may be missing. A file that is
older than the machine's start therefore proves what it says, and nothing by what it does not say.

One file for each process, locked as long as the process lives (flock): a file that can be locked
was left behind by a dead one. Its room is allotted before the first byte is sent, so that a full
disk is found out then and not in the middle. (On a file system that promises no room, a disk that
is full all the same ends the worker as `kill -9` would, and what it wrote proves as much.) A
journal that cannot be written whole is emptied, because from half of one it would seem that
messages had not been taken; sending goes on without it, and a killed worker then leaves its chunk
unknown instead of what was on the wire.
"""

import contextlib
import errno
import fcntl
import logging
import mmap
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Self

log = logging.getLogger(__name__)

# The id of a delivery or a batch, its epoch or attempt, what happened, and a mark that no hole in
# a file has. The mark is written last, so that half an entry has none.
_ENTRY = Struct("<QIHH")
_MARK = 0x4A57
_STEP, _write = _ENTRY.size, _ENTRY.pack_into
_BATCH, _TAKEN, _ACCEPTED, _NOT_SENT, _UNKNOWN, _STAMP = range(1, 7)
ENTRIES = 1 << 18
SIZE = ENTRIES * _ENTRY.size


class Journal:
    """The journal of this process. `open` never fails: see `is_kept`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._file = -1
        # The file while something may be written to it.
        self._map: mmap.mmap | None = None
        self._at = 0
        self._lock = threading.Lock()
        # None while it is kept, or why it is not.
        self.trouble: str | None = None

    @property
    def is_kept(self) -> bool:
        return self._file >= 0

    @property
    def room(self) -> int:
        """For how many messages there is room, each with its taking and its answer."""
        return (SIZE - self._at) // (2 * _ENTRY.size) if self.is_kept else ENTRIES

    def open(self) -> None:
        """Begin an empty journal, or empty the one there is: all that it said is recorded."""
        try:
            if self._file < 0:
                self._make()
            self._unmap()
            os.ftruncate(self._file, 0)
            _allot(self._file)
            self._map = mmap.mmap(self._file, SIZE)
            self._at = 0
            self.trouble = None
        except OSError as error:
            self._give_up(error)

    def rest(self) -> None:
        """All that it said is recorded; nothing is to be read from it until `open`."""
        self._unmap()
        if self._file >= 0:
            try:
                os.ftruncate(self._file, 0)
            except OSError as error:
                self._give_up(error)

    def _unmap(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.{_this_start()}"
        # Under another name until it is locked: nobody must take it for one left behind.
        begun = self._folder / f"{name}.begun"
        self._file = os.open(begun, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._path = self._folder / f"{name}.journal"
        begun.rename(self._path)

    def batch(self, pk: int, epoch: int, stamp: bytes) -> None:
        """A claim begins. `stamp` tells the mailing from one with the same numbers in another
        database: a journal may outlive the database that it belongs to."""
        self._append(int.from_bytes(stamp[:8], "big"), 0, _STAMP)
        self._append(pk, epoch, _BATCH)

    def taken(self, pk: int, attempt: int) -> None:
        self._append(pk, attempt, _TAKEN)

    def accepted(self, pk: int, attempt: int) -> None:
        self._append(pk, attempt, _ACCEPTED)

    def not_sent(self, pk: int, attempt: int) -> None:
        """Refused, or it certainly did not go out."""
        self._append(pk, attempt, _NOT_SENT)

    def unknown(self, pk: int, attempt: int) -> None:
        self._append(pk, attempt, _UNKNOWN)

    def _append(self, pk: int, number: int, what: int) -> None:
        # The clerk writes too.
        with self._lock:
            pages, at = self._map, self._at
            if pages is None:
                return
            if at == SIZE:
                self._give_up(OSError(errno.ENOSPC, "it is full"))
                return
            _write(pages, at, pk, number, what, _MARK)
            self._at = at + _STEP

    def leave(self) -> None:
        """Let go of it with what it says, because that could not be recorded: `proofs` reads it."""
        self._unmap()
        if self._file >= 0:
            os.close(self._file)
            self._file, self._path = -1, None

    def close(self) -> None:
        """Remove it: all that it said is recorded."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        self.leave()

    def _give_up(self, error: OSError) -> None:
        log.error("No journal is kept, sending goes on without: %s", error)
        self.trouble = os.strerror(error.errno or 0)
        self._unmap()
        if self._file >= 0:
            # Emptying needs no room. Should even that fail, the file's name must go.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
        with contextlib.suppress(OSError):
            self.close()
        self._file, self._path = -1, None


def _this_start() -> str:
    """Return what tells this start of the machine from the others; "" where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _allot(file: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, SIZE)
    else:  # macOS
        os.ftruncate(file, SIZE)


@dataclass(slots=True)
class Left:
    """What a process that is gone had written. Attempts as in `prove_late`."""

    # False when the machine was started since: its end may be missing.
    is_whole: bool = True
    # Claims: batch, epoch, stamp.
    batches: list[tuple[int, int, bytes]] = field(default_factory=list)
    # What was taken, with its attempt: accepted, certainly not sent, or nobody knows.
    accepted: dict[int, int] = field(default_factory=dict)
    not_sent: dict[int, int] = field(default_factory=dict)
    unknown: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The last that was said of a delivery counts. Stops at the first hole or half entry."""
        left = cls()
        stamp = b""
        whole = len(content) // _ENTRY.size * _ENTRY.size
        for pk, number, what, mark in _ENTRY.iter_unpack(content[:whole]):
            if mark != _MARK:
                break
            if what == _STAMP:
                stamp = pk.to_bytes(8, "big")
                continue
            if what == _BATCH:
                left.batches.append((pk, number, stamp))
                continue
            for kind in (left.accepted, left.not_sent, left.unknown):
                kind.pop(pk, None)
            if what == _ACCEPTED:
                left.accepted[pk] = number
            elif what == _NOT_SENT:
                left.not_sent[pk] = number
            else:
                left.unknown[pk] = number
        return left


def left_behind(folder: Path) -> Iterator[Left]:
    """Yield each journal of a process that is gone; it is removed once the loop goes on.

    Two who look at once are kept apart by the lock; one that is read twice, because a reader was
    killed, proves nothing new.
    """
    for path in sorted(folder.glob("*.journal")):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        with os.fdopen(file, "rb") as journal:
            try:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # Whoever had the lock before may have removed it meanwhile.
            if not path.exists():
                continue
            left = Left.read(journal.read())
            start = _this_start()
            left.is_whole = start != "" and path.name.endswith(f".{start}.journal")
            yield left
            path.unlink(missing_ok=True)
