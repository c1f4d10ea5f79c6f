"""The ledger against its seals: what was sealed must still be there, exactly so."""

import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from signup.consent import seals
from signup.consent.fault import Fault
from signup.models import ConsentEntry, LedgerSeal

PAGE = 1_000
LATE = timedelta(days=3)

_Heads = list[tuple[UUID, int, bytes]]


def against_seals() -> Iterator[Fault]:
    """Yield what is wrong with the seals, and with the ledger by their account. Memory is flat."""
    there = seals.files()
    noted = {row.number: row for row in LedgerSeal.objects.all()}
    by_number = dict(there)
    for number in sorted(noted.keys() - by_number.keys()):
        yield Fault(None, None, f"seal {number} is gone from {seals.folder()}")
    expected, previous = 1, bytes(32)
    for number, path in there:
        for lost in range(expected, number):
            if lost not in noted:
                yield Fault(None, None, f"seal {lost} is missing from {seals.folder()}")
        digest = seals.file_hash(path)
        wrong = _wrong_with(path, number, previous if number == expected else None)
        row = noted.get(number)
        if wrong is None and row is not None and bytes(row.file_hash) != digest:
            wrong = "is not the one that was made"
        if wrong is not None:
            yield Fault(None, None, f"seal {number} {wrong}")
        else:
            yield from _heads_that_do_not_hold(number, path)
        expected, previous = number + 1, digest
    if noted:
        newest = max(noted.values(), key=lambda row: row.number)
        if timezone.now() - newest.made_at > LATE:
            yield Fault(
                None, None, f"the last seal is of {newest.made_at:%Y-%m-%d}: sealing has stopped"
            )


def _wrong_with(path: Path, number: int, previous: bytes | None) -> str | None:
    """Say what is wrong with the file itself. `previous` is None when the one before is lost."""
    keys = dict(settings.LEDGER_KEYS)
    lines, size = 0, path.stat().st_size
    with path.open("rb") as opened:
        first = opened.readline()
        header = _object(first)
        if header is None or header.get("number") != number:
            return "is damaged: its first line is not a seal's"
        version = header.get("key_version")
        key = keys.get(version) if isinstance(version, int) else None
        if key is None:
            return f"was made with key {version}, which LEDGER_KEYS does not list"
        signed = hmac.new(key, first, "sha256")
        footer = None
        for line in opened:
            if line.startswith(b"{"):
                footer = _object(line)
                break
            signed.update(line)
            lines += 1
        if footer is None:
            return "was cut off"
        if opened.tell() != size:
            return "was added to"
    if footer.get("chains") != lines or not hmac.compare_digest(
        str(footer.get("hmac")), signed.hexdigest()
    ):
        return "was changed after it was made"
    if previous is not None and header.get("previous") != previous.hex():
        return "does not follow the one before"
    return None


def _object(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _heads_that_do_not_hold(number: int, path: Path) -> Iterator[Fault]:
    batch: _Heads = []
    for head in seals.heads_in(path):
        batch.append(head)
        if len(batch) == PAGE:
            yield from _compare(number, batch)
            batch = []
    yield from _compare(number, batch)


def _compare(number: int, heads: Sequence[tuple[UUID, int, bytes]]) -> Iterator[Fault]:
    lines: dict[UUID, dict[int, bytes]] = {}
    tombstones: dict[UUID, tuple[int, bytes]] = {}
    for subject, seq, digest, action, before in ConsentEntry.objects.filter(
        subject__in=[subject for subject, _seq, _digest in heads]
    ).values_list("subject", "seq", "entry_hash", "action", "previous_hash"):
        lines.setdefault(subject, {})[seq] = bytes(digest)
        if action == ConsentEntry.Action.TOMBSTONE:
            tombstones[subject] = max(tombstones.get(subject, (0, b"")), (seq, bytes(before)))
    for subject, seq, digest in heads:
        chain = lines.get(subject, {})
        if chain.get(seq) == digest:
            continue
        buried_at, before = tombstones.get(subject, (0, b""))
        if seq < buried_at and seq not in chain and (seq + 1 < buried_at or before == digest):
            continue  # removed by retention, which left its tombstone
        if not chain:
            yield Fault(
                subject, None, f"the whole chain is gone; seal {number} knows {seq} entries"
            )
        elif seq in chain:
            yield Fault(subject, seq, f"is not the one that seal {number} knows")
        else:
            yield Fault(
                subject,
                max(chain) + 1 if max(chain) < seq else seq,
                f"was cut off: seal {number} knows {seq} entries, the chain ends at {max(chain)}",
            )
