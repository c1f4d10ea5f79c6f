"""From a delivery to what goes on the wire. The same delivery always gives the same bytes."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from django.conf import settings

from newsletter.rendering.copies import IssueCopies, ReaderRow
from newsletter.sending import alert_forms
from newsletter.sending.alert_readers import still_concerned
from newsletter.sending.digest_copies import DigestMail, follows_of
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Edition, Mailing
from newsletter.sending.row import Row
from newsletter.sending.stored import read_back
from newsletter.transports.return_path import return_path_maker
from newsletter.transports.values import Envelope
from newsletter.wire.message import CompiledMessage


@dataclass(slots=True)
class Prepared:
    """The copies of one chunk."""

    # From a delivery's id to where its bounces go.
    sender: Callable[[int], str]
    copy: Callable[[Row], bytes]
    # True when there is nothing to send to this reader any more.
    is_empty: Callable[[Row], bool]
    _checked: set[int] = field(default_factory=set)

    def envelope(self, row: Row) -> Envelope:
        """Raises UnsafeValue or UnsafeEnvelope when this reader's values cannot go into a mail."""
        sender, recipient, content = self.sender(row.pk), row.email, self.copy(row)
        if row.edition in self._checked:
            return Envelope.of_compiled(sender, recipient, content)
        envelope = Envelope(sender, recipient, content)
        self._checked.add(row.edition)
        return envelope


class Copies(Protocol):
    """What makes the copies of one mailing."""

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        """Look up what these rows need. Raises ContentDamaged."""
        ...


def copies_of(mailing: Mailing) -> Copies:
    """Raises ContentDamaged when what was approved cannot be read, NewerContent when this worker
    is too old for it.
    """
    if mailing.kind == Mailing.Kind.DIGEST:
        return _Digests(mailing)
    if mailing.kind == Mailing.Kind.ALERT:
        return _Alerts(mailing)
    return _Issues(mailing)


def envelope_senders(mailing: Mailing) -> Callable[[int], str]:
    """Return a function from a delivery's id to its envelope sender. The hot path.

    With BOUNCE_DOMAIN each copy has a return path of its own, signed with the key that the mailing
    began with, so that a second copy has the first one's. Without it bounces go to whom the
    newsletter comes from.
    """
    if not settings.BOUNCE_DOMAIN:
        plain = mailing.newsletter.from_email
        return lambda delivery: plain
    keys = settings.TOKEN_KEYS
    # As for links: a key that is not listed any more would make what nobody can check.
    version, secret = next((key for key in keys if key[0] == mailing.token_version), keys[0])
    return return_path_maker(version, secret, settings.BOUNCE_DOMAIN)


class _Issues:
    def __init__(self, mailing: Mailing) -> None:
        self._sender = envelope_senders(mailing)
        self._editions = {
            edition.pk: IssueCopies(load(edition), mailing.stamp)
            for edition in mailing.editions.select_related("frozen", "mailing__alert")
        }
        self._asks = any(copies.asks_for for copies in self._editions.values())
        if self._asks and not mailing.is_health_data:
            # Such copies tell what their readers follow (invariant 11). The way out was chosen by
            # what the mailing says of itself, so nothing goes out while the two disagree.
            raise ContentDamaged("Parts are for followers only, and the mailing does not say so.")

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        follows = follows_of(rows) if self._asks else {}

        editions = self._editions

        def copy(row: Row) -> bytes:
            # Taken apart at once: naming its columns one by one takes twice as long.
            _, _, subscriber, edition, _, _, email, name, _, _, text_only, subscription, _ = row
            reader = ReaderRow(subscriber, email, name, subscription, text_only)
            return editions[edition].copy(reader, follows.get(subscriber, ()))

        return Prepared(self._sender, copy, is_empty=lambda row: False)


class _Alerts(_Issues):
    """Whole messages too, but only to whom they still concern."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        super().__init__(mailing)

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        concerned = still_concerned(self._mailing, [row.subscriber for row in rows])
        return replace(super().prepare(rows), is_empty=lambda row: row.subscriber not in concerned)


class _Digests:
    def __init__(self, mailing: Mailing) -> None:
        self._sender = envelope_senders(mailing)
        self._mail = DigestMail(mailing)

    def prepare(self, rows: Sequence[Row]) -> Prepared:
        chunk = self._mail.chunk(rows)
        chunk.keep_for_second_copies()
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
    return read_back(content)
