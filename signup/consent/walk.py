"""Every chain from its first line to its head, in one pass that holds few of them at a time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from signup.consent.chain import FIRST, Line, digest_of
from signup.consent.fault import Fault
from signup.models import ConsentEntry, ConsentSubject, ConsentText

CHUNK = 2_000  # chains held in memory at a time
_FURTHEST = 1_000  # how far away a line is looked for when it stands in the wrong place


class Head(NamedTuple):
    subject: UUID
    head_seq: int
    head_hash: bytes


def broken_chains() -> Iterator[Fault]:
    """Yield what does not hold in any chain, and lines that belong to none.

    Two statements for each two thousand chains, plain tuples, no row lock: the service may go on
    writing. What looks broken is looked at again under the chain's own lock.
    """
    wordings = digests()
    after: UUID | None = None
    while True:
        page = ConsentSubject.objects.order_by("subject")
        if after is not None:
            page = page.filter(subject__gt=after)
        heads = [Head(*row) for row in page.values_list(*Head._fields)[:CHUNK]]
        upto = heads[-1].subject if len(heads) == CHUNK else None
        chains = _lines_between(after, upto)
        for head in heads:
            lines = chains.pop(head.subject, [])
            if any(broken(head, lines, wordings)):
                yield from _again_under_lock(head.subject)
        for subject, lines in chains.items():
            yield from _strays(subject, lines)
        if upto is None:
            return
        after = upto


def faults_of(subject: UUID) -> list[Fault]:
    """Check one chain, while nobody writes to it."""
    return _again_under_lock(subject)


def digests() -> dict[int, str]:
    """Return text id → the digest of its words."""
    return {pk: digest_of(words) for pk, words in ConsentText.objects.values_list("pk", "wording")}


def broken(head: Head, lines: Sequence[Line], wordings: Mapping[int, str]) -> Iterator[Fault]:
    """Yield what is wrong between a head and its lines (in the order of their places)."""
    keys = dict(settings.LEDGER_KEYS)
    previous, expected = FIRST, 1
    if lines and lines[0].seq > 1 and lines[0].action == ConsentEntry.Action.TOMBSTONE:
        # Retention removed what stood before; that it did is sealed in this line.
        previous, expected = bytes(lines[0].previous_hash), lines[0].seq
    for line in lines:
        if line.seq != expected:
            yield Fault(head.subject, expected, _missing(expected, line.seq - 1))
        if bytes(line.previous_hash) != previous:
            yield Fault(head.subject, line.seq, "does not follow the one before")
        key = keys.get(line.key_version)
        wording = wordings.get(line.text_id) if line.text_id is not None else None
        if key is None:
            yield Fault(
                head.subject,
                line.seq,
                f"was sealed with key {line.key_version}, which LEDGER_KEYS does not list",
            )
        elif bytes(line.entry_hash) != line.hash(key, wording):
            yield Fault(head.subject, line.seq, _changed(line, key, wording, len(lines)))
        previous, expected = bytes(line.entry_hash), line.seq + 1
    if head.head_seq != expected - 1:
        yield Fault(
            head.subject,
            min(head.head_seq, expected - 1) + 1,
            f"its end was cut off or made up: its head says {head.head_seq} entries, "
            f"the chain ends at {expected - 1}",
        )
    elif (bytes(head.head_hash) or FIRST) != previous:
        yield Fault(head.subject, head.head_seq, "its head is not the hash of its last entry")


def _missing(first: int, last: int) -> str:
    return "is missing" if first >= last else f"is missing, and so are those up to {last}"


def _changed(line: Line, key: bytes, wording: str | None, length: int) -> str:
    for place in range(1, min(length + 1, _FURTHEST) + 1):
        if place != line.seq and bytes(line.entry_hash) == line.hash(key, wording, seq=place):
            return f"was changed after it was written: it stood in place {place}"
    if line.text_id is not None:
        return f"was changed after it was written, or the words of text {line.text_id} were"
    return "was changed after it was written"


def _lines_between(after: UUID | None, upto: UUID | None) -> dict[UUID, list[Line]]:
    entries = ConsentEntry.objects.order_by("subject", "seq")
    if after is not None:
        entries = entries.filter(subject__gt=after)
    if upto is not None:
        entries = entries.filter(subject__lte=upto)
    chains: defaultdict[UUID, list[Line]] = defaultdict(list)
    for row in entries.values_list(*Line._fields).iterator(chunk_size=5_000):
        line = Line._make(row)
        chains[line.subject].append(line)
    return chains


def _again_under_lock(subject: UUID) -> list[Fault]:
    """Look again while nobody writes: a line may have come between reading head and chain."""
    with transaction.atomic():
        found = ConsentSubject.objects.select_for_update().filter(subject=subject)
        row = found.values_list(*Head._fields).first()
        entries = ConsentEntry.objects.filter(subject=subject).order_by("seq")
        lines = [Line._make(row) for row in entries.values_list(*Line._fields)]
        if row is None:
            return list(_strays(subject, lines))
        return list(broken(Head(*row), lines, digests()))


def _strays(subject: UUID, lines: Sequence[Line]) -> Iterator[Fault]:
    """Lines without a chain, unless the chain began after its heads were read."""
    if ConsentSubject.objects.filter(subject=subject).exists():
        yield from _again_under_lock(subject)
        return
    for line in lines:
        yield Fault(subject, line.seq, "belongs to no chain")
