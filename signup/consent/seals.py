"""Seals: the heads of all chains that moved, in a signed file outside the database.

A chain whose end was cut off together with its head is whole in itself. A seal still remembers
how long it was. Each seal carries the hash of the one before and an HMAC under LEDGER_KEYS, so
none can be changed, dropped from the middle or slipped in; the database notes each one's hash, so
that a lost last one shows too. Files are written once and never touched again.
"""

import hmac
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from signup.models import ConsentSubject, LedgerSeal

FORMAT = 1
PAGE = 5_000
NAME = re.compile(r"seal-(\d{6})\.txt")


class CannotSeal(Exception):
    """The seal could not be written; nothing was noted, and the next one holds it all."""


class _Taken(Exception):
    """Somebody else has just made the seal of this number."""


def folder() -> Path:
    """Where seals are kept: settings.LEDGER_SEAL_DIR."""
    return Path(settings.LEDGER_SEAL_DIR)


def files() -> list[tuple[int, Path]]:
    """Return number and file of every seal, in their order."""
    if not folder().is_dir():
        return []
    named = ((NAME.fullmatch(path.name), path) for path in folder().iterdir())
    return sorted((int(match[1]), path) for match, path in named if match)


def seal() -> LedgerSeal | None:
    """Write the next seal and return it; None when another one is being made right now.

    It holds every head that moved since it was last sealed, so also what a seal missed that was
    stopped half-way. Memory is flat. Raises CannotSeal.
    """
    there = files()
    noted = LedgerSeal.objects.order_by("-number").first()
    number = max(there[-1][0] if there else 0, noted.number if noted else 0) + 1
    previous = file_hash(there[-1][1]) if there else bytes(32)
    made_at = timezone.now()
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o750)
        target = folder() / f"seal-{number:06}.txt"
        chains, digest = _write(target, number=number, previous=previous, made_at=made_at)
    except _Taken:
        return None
    except OSError as error:
        raise CannotSeal(f"No seal could be written to {folder()}: {error}") from error
    _mark_as_sealed(target)
    row, _created = LedgerSeal.objects.get_or_create(
        number=number, defaults={"made_at": made_at, "chains": chains, "file_hash": digest}
    )
    return row


def heads_in(path: Path) -> Iterator[tuple[UUID, int, bytes]]:
    """Yield subject, last place and hash of every chain in a seal."""
    with path.open("rb") as opened:
        next(opened)
        for line in opened:
            if line.startswith(b"{"):
                return
            subject, seq, digest = line.split()
            yield UUID(subject.decode()), int(seq), bytes.fromhex(digest.decode())


def file_hash(path: Path) -> bytes:
    with path.open("rb") as opened:
        digest = sha256()
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.digest()


def _write(target: Path, *, number: int, previous: bytes, made_at: datetime) -> tuple[int, bytes]:
    """Write to a hidden file, sync it, and give it its name, which fails if there is one already.

    Whoever reads the folder sees a whole seal or none, also after a power cut.
    """
    version, key = settings.LEDGER_KEYS[0]
    header = {
        "format": FORMAT,
        "number": number,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "previous": previous.hex(),
        "key_version": version,
    }
    signed, whole = hmac.new(key, digestmod="sha256"), sha256()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".seal-")
    chains = 0
    try:
        with os.fdopen(descriptor, "wb") as opened:

            def put(line: bytes) -> None:
                opened.write(line)
                signed.update(line)
                whole.update(line)

            put(json.dumps(header).encode() + b"\n")
            for subject, seq, digest in _moved():
                put(f"{subject.hex} {seq} {digest.hex()}\n".encode())
                chains += 1
            put(json.dumps({"chains": chains, "hmac": signed.hexdigest()}).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
            os.fchmod(opened.fileno(), 0o440)
        try:
            os.link(name, target)
        except FileExistsError as error:
            raise _Taken from error
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
    _sync_folder(target.parent)
    return chains, whole.digest()


def _moved() -> Iterator[tuple[UUID, int, bytes]]:
    """The heads beyond what is sealed, by pages: each line is true by itself."""
    after: UUID | None = None
    while True:
        page = ConsentSubject.objects.filter(head_seq__gt=F("sealed_seq")).order_by("subject")
        if after is not None:
            page = page.filter(subject__gt=after)
        rows = list(page.values_list("subject", "head_seq", "head_hash")[:PAGE])
        for subject, seq, digest in rows:
            yield subject, seq, bytes(digest)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _mark_as_sealed(path: Path) -> None:
    """Only after the file stands: a seal that was stopped before is made again, never skipped."""
    batch: list[tuple[int, UUID]] = []
    for subject, seq, _digest in heads_in(path):
        batch.append((seq, subject))
        if len(batch) == PAGE:
            _mark(batch)
            batch = []
    _mark(batch)


def _mark(batch: list[tuple[int, UUID]]) -> None:
    batch.sort()
    for seq, same in groupby(batch, key=lambda pair: pair[0]):
        subjects = [subject for _seq, subject in same]
        ConsentSubject.objects.filter(subject__in=subjects, sealed_seq__lt=seq).update(
            sealed_seq=seq
        )


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
