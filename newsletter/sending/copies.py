"""From a delivery to what goes on the wire. The same delivery always gives the same bytes."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from newsletter.rendering.copies import IssueCopies, ReaderRow
from newsletter.sending import alert_forms
from newsletter.sending.alert_readers import still_concerned
from newsletter.sending.digest_copies import DigestMail
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Edition, Mailing
from newsletter.sending.row import Row
from newsletter.transports.values import Envelope
from newsletter.wire.message import CompiledMessage, FormatError


@dataclass(slots=True)
class Prepared:
    """The copies of one chunk."""

    sender: str
    copy: Callable[[Row], bytes]
    # True when there is nothing to send to this reader any more.
    is_empty: Callable[[Row], bool]
    _checked: set[int] = field(default_factory=set)

    def envelope(self, row: Row) -> Envelope:
        """Raises UnsafeValue or UnsafeEnvelope when this reader's values cannot go into a mail."""
        if row.edition in self._checked:
            return Envelope.of_compiled(self.sender, row.email, self.copy(row))
        envelope = Envelope(self.sender, row.email, self.copy(row))
        self._checked.add(row.edition)
        return envelope


class Copies(Protocol):
    """What makes the copies of one mailing."""

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        """Look up what these rows need. Raises ContentDamaged."""
        ...


def copies_of(mailing: Mailing) -> Copies:
    """Raises ContentDamaged when what was approved cannot be read."""
    if mailing.kind == Mailing.Kind.DIGEST:
        return _Digests(mailing)
    if mailing.kind == Mailing.Kind.ALERT:
        return _Alerts(mailing)
    return _Issues(mailing)


class _Issues:
    def __init__(self, mailing: Mailing) -> None:
        self._sender = mailing.newsletter.from_email
        self._editions = {
            edition.pk: IssueCopies(
                load(edition),
                newsletter=mailing.newsletter,
                mailing_id=mailing.pk,
                dated=mailing.dated,
            )
            for edition in mailing.editions.select_related("frozen", "mailing__alert")
        }

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        return Prepared(self._sender, self._copy, is_empty=lambda row: False)

    def _copy(self, row: Row) -> bytes:
        reader = ReaderRow(
            row.subscriber, row.email, row.first_name, row.subscription, row.text_only
        )
        return self._editions[row.edition].copy(reader)


class _Alerts(_Issues):
    """Whole messages too, but only to whom they still concern."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        super().__init__(mailing)

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        concerned = still_concerned(self._mailing, [row.subscriber for row in rows])
        return Prepared(
            self._sender, self._copy, is_empty=lambda row: row.subscriber not in concerned
        )


class _Digests:
    def __init__(self, mailing: Mailing) -> None:
        self._sender = mailing.newsletter.from_email
        self._mail = DigestMail(mailing)

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        chunk = self._mail.chunk(rows)
        return Prepared(self._sender, chunk.copy, chunk.is_empty)


def load(edition: Edition) -> CompiledMessage:
    """Return what was approved, and make sure that it still is that (invariant 16)."""
    alert = edition.mailing.alert
    if alert is not None:
        return alert_forms.load(edition, alert)
    frozen = edition.frozen
    if frozen is None:
        raise ContentDamaged("This mailing has no approved content.")
    content = bytes(frozen.content)
    if hashlib.sha256(content).digest() != bytes(frozen.content_hash):
        raise ContentDamaged("The frozen content is not what was approved. Approve it again.")
    try:
        return CompiledMessage.from_bytes(content)
    except FormatError as error:
        raise ContentDamaged(str(error)) from error
