"""Writing to the ledger: each line carries a keyed hash over itself and the line before.

The key stands outside the database. So somebody who can write to the database, even past the
triggers, cannot change, drop or forge a line without `verify` seeing it.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.models import ConsentEntry, ConsentSubject, ConsentText, Subscriber, plain

FORMAT = 1
FIRST = bytes(32)  # what the first line of a chain has before it
_as_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is to be written down."""

    action: ConsentEntry.Action
    method: ConsentEntry.Method
    purpose: ConsentText.Purpose | None = None
    newsletter: Newsletter | None = None
    text: ConsentText | None = None
    form_url: str = ""
    evidence: str = ""


def record(
    *,
    subscriber: Subscriber,
    action: ConsentEntry.Action,
    purpose: ConsentText.Purpose | None,
    method: ConsentEntry.Method,
    newsletter: Newsletter | None = None,
    text: ConsentText | None = None,
    form_url: str = "",
    evidence: str = "",
) -> ConsentEntry:
    """Append one line to the reader's chain, inside the caller's transaction."""
    statement = Statement(
        action=action,
        purpose=purpose,
        method=method,
        newsletter=newsletter,
        text=text,
        form_url=form_url,
        evidence=evidence,
    )
    return record_all(subscriber=subscriber, statements=[statement])[0]


def record_all(
    *, subscriber: Subscriber, statements: Sequence[Statement], at: datetime | None = None
) -> list[ConsentEntry]:
    """Append the lines in their order and return them.

    The chain's own row is locked until the caller's transaction ends, so two writers can never
    take one place; unique(subject, seq) stands behind that.
    Raises TransactionManagementError outside a transaction: a line without the change that it
    proves would be a lie.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "The ledger is written inside the transaction of what it proves."
        )
    if not statements:
        return []
    return append(_locked_subject(subscriber), statements, at or timezone.now())


def append(
    subject: ConsentSubject, statements: Sequence[Statement], at: datetime
) -> list[ConsentEntry]:
    """Append to the chain whose row the caller has locked in this transaction."""
    trip = plain.Trip()
    lines = add_lines(trip, subject, statements, at)
    keys, _moved = trip.go()
    return [
        ConsentEntry.from_db(connection.alias, ["id", *Line._fields], [key, *line])
        for (key,), line in zip(keys, lines, strict=True)
    ]


def add_lines(
    trip: plain.Trip, subject: ConsentSubject, statements: Sequence[Statement], at: datetime
) -> list["Line"]:
    """Add to `trip` the statements that append to a chain whose row the caller has locked."""
    lines = _continued(subject, statements, at)
    trip.add(
        _append_text(connection.vendor, len(lines)), [value for line in lines for value in line]
    )
    head = lines[-1]
    trip.add(_move_text(connection.vendor), [head.seq, head.entry_hash, subject.pk])
    subject.head_seq, subject.head_hash = head.seq, head.entry_hash
    return lines


def _continued(
    subject: ConsentSubject, statements: Sequence[Statement], at: datetime
) -> list["Line"]:
    if any(statement.text is not None and statement.text.is_draft for statement in statements):
        raise ValueError("Nobody can agree to a draft: only approved wordings go into the ledger.")
    version, key = settings.LEDGER_KEYS[0]
    previous = bytes(subject.head_hash) or FIRST
    lines: list[Line] = []
    for seq, statement in enumerate(statements, start=subject.head_seq + 1):
        line = Line(
            subject=subject.subject,
            seq=seq,
            action=str(statement.action),
            purpose=str(statement.purpose or ""),
            newsletter_id=statement.newsletter.pk if statement.newsletter else None,
            text_id=statement.text.pk if statement.text else None,
            method=str(statement.method),
            form_url=statement.form_url[:500],
            evidence=statement.evidence[:500],
            at=at,
            key_version=version,
            previous_hash=previous,
            entry_hash=b"",
        )
        wording = digest_of(statement.text.wording) if statement.text else None
        previous = line.hash(key, wording)
        lines.append(line._replace(entry_hash=previous))
    return lines


def seal(key: bytes, entry: ConsentEntry, wording: str | None) -> bytes:
    """Return HMAC-SHA-256 over everything in the line, the wording's own words included."""
    return Line.of(entry).hash(key, None if wording is None else digest_of(wording))


class Line(NamedTuple):
    """A line of the ledger as `values_list(*Line._fields)` gives it: a million in some seconds."""

    subject: UUID
    seq: int
    action: str
    purpose: str
    newsletter_id: int | None
    text_id: int | None
    method: str
    form_url: str
    evidence: str
    at: datetime
    key_version: int
    previous_hash: bytes
    entry_hash: bytes

    @classmethod
    def of(cls, entry: ConsentEntry) -> "Line":
        return cls(*(getattr(entry, name) for name in cls._fields))

    def hash(self, key: bytes, wording: str | None, *, seq: int | None = None) -> bytes:
        """Return HMAC-SHA-256 over everything in the line, the digest of its wording included.

        `seq` asks what the hash would be in another place.
        """
        at = self.at if self.at.tzinfo is UTC else self.at.astimezone(UTC)
        content = (
            FORMAT,
            self.subject.hex,
            self.seq if seq is None else seq,
            str(self.action),
            str(self.purpose),
            self.newsletter_id,
            self.text_id,
            wording,
            str(self.method),
            self.form_url,
            self.evidence,
            at.isoformat(timespec="microseconds"),
            self.key_version,
            bytes(self.previous_hash).hex(),
        )
        return hmac.digest(key, _as_json(content).encode(), "sha256")


def digest_of(wording: str) -> str:
    """Return the SHA-256 by which a line names the very words that it answers."""
    return sha256(wording.encode()).hexdigest()


def add_opening(trip: plain.Trip, reader: str, values: Sequence[Any]) -> None:
    """Add the statement that opens a reader's chain, or finds it; returns what `opened` reads.

    `reader` is SQL for the reader's key, with its `values`. The chain's row is locked either way,
    as by an UPDATE that changes no key, in the same single statement: its time does not tell
    which it was (invariant 13).
    """
    trip.add(_open_text(connection.vendor, reader), [uuid4(), b"", *values])


def opened(row: tuple[Any, ...]) -> ConsentSubject:
    """Return the chain as the opening statement found it."""
    subject, head_seq, head_hash = row
    return ConsentSubject.from_db(
        connection.alias,
        ["subject", "head_seq", "head_hash"],
        [subject if isinstance(subject, UUID) else UUID(subject), head_seq, bytes(head_hash)],
    )


def _locked_subject(subscriber: Subscriber) -> ConsentSubject:
    trip = plain.Trip()
    add_opening(trip, "%s", [subscriber.pk])
    ((row,),) = trip.go()
    return opened(row)


@cache
def _open_text(vendor: str, reader: str) -> str:
    return plain.insert_into(
        vendor,
        ConsentSubject,
        plain.given("subject", "head_hash", subscriber_id=reader),
        conflict="(subscriber_id) DO UPDATE SET subscriber_id = excluded.subscriber_id",
        returning="subject, head_seq, head_hash",
    )


@cache
def _append_text(vendor: str, lines: int) -> str:
    return plain.insert_into(
        vendor, ConsentEntry, plain.given(*Line._fields), rows=lines, returning="id"
    )


@cache
def _move_text(_vendor: str) -> str:
    return (
        f"UPDATE {plain.table(ConsentSubject)} "  # noqa: S608 - our own name
        "SET head_seq = %s, head_hash = %s WHERE subject = %s"
    )
