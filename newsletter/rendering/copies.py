"""An edition and a reader in, that reader's bytes out. The hot path.

The same mailing and the same reader give the same bytes, so that a copy that is sent again
after an unknown outcome is no new mail (invariant 7).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.rendering import links
from newsletter.rendering.fragments import EncodedFragment
from newsletter.wire.headers import format_date, format_recipient
from newsletter.wire.message import CompiledMessage
from newsletter.wire.slots import Slot
from signup.tokens import LASTING_LENGTH, Purpose, lasting_signer


class ReaderRow(NamedTuple):
    """What a copy needs to know of its reader, as `values_list` gives it."""

    subscriber_id: int
    email: str
    first_name: str
    subscription_id: int
    text_only: bool = False


class Stamp(NamedTuple):
    """What a mailing fixed when it was made, so that each copy of it stays what it is.

    `salt` is the mailing's own random bytes; it is empty for mailings older than the salt.
    `token_version` names the one of TOKEN_KEYS that its links are signed with.
    """

    mailing_id: int
    dated: datetime
    salt: bytes = b""
    token_version: int | None = None


class NothingLeft(LookupError):
    """Every article of this reader's digest has been withdrawn."""


class IssueCopies:
    """The copies of one issue's mailing, from its frozen message."""

    def __init__(self, message: CompiledMessage, stamp: Stamp) -> None:
        self._both = _bound(message, stamp)
        self._text_only = self._both.text_only()
        self._values = _personal(message, stamp)

    @property
    def asks_for(self) -> frozenset[int]:
        """The conditions that some part of this issue is only for the followers of."""
        return self._both.stretch_keys

    def copy(self, reader: ReaderRow, follows: Collection[int] = ()) -> bytes:
        """Return the whole message for one reader; `follows` are the conditions followed now.

        Raises wire.headers.UnsafeValue for an address that no header may carry.
        """
        message = self._text_only if reader.text_only else self._both
        return message.fill(self._values(reader), follows)


class DigestCopies:
    """The copies of one digest run in one language.

    `articles` are the fragments that were approved, by article; `conditions` say what each
    article is about; `headings` are the conditions' own fragments, and `other` the one for
    articles that go with none of them.
    """

    def __init__(
        self,
        shell: CompiledMessage,
        stamp: Stamp,
        *,
        language: str,
        articles: Mapping[int, EncodedFragment],
        conditions: Mapping[int, Sequence[int]],
        headings: Mapping[int, EncodedFragment],
        other: EncodedFragment,
    ) -> None:
        self._both = _bound(shell, stamp)
        self._text_only = self._both.text_only()
        self._values = _personal(shell, stamp)
        self._language = language
        self._articles = articles
        self._conditions = conditions
        self._headings = headings
        self._other = other
        self._lines: dict[date, str] = {}

    def copy(
        self,
        reader: ReaderRow,
        article_ids: Sequence[int],
        follows: Collection[int],
        next_digest: date | None = None,
    ) -> bytes:
        """Return the whole message for one reader: `article_ids` in their order, gathered under
        the conditions among `follows` that brought them.

        Raises NothingLeft when none of the articles has a fragment any more.
        """
        pieces = self._pieces(article_ids, follows)
        values = self._values(reader)
        values[Slot.BODY_TEXT] = b"".join([piece.text for piece in pieces])
        values[Slot.BODY_HTML] = b"".join([piece.html for piece in pieces])
        values[Slot.NEXT_DIGEST] = self._next_line(next_digest) if next_digest else ""
        message = self._text_only if reader.text_only else self._both
        return message.fill(values)

    def _pieces(
        self, article_ids: Sequence[int], follows: Collection[int]
    ) -> list[EncodedFragment]:
        sections: dict[int | None, list[EncodedFragment]] = {}
        for article in article_ids:
            fragment = self._articles.get(article)
            if fragment is None:
                continue
            about = self._conditions.get(article, ())
            condition = next(
                (one for one in about if one in follows and one in self._headings), None
            )
            sections.setdefault(condition, []).append(fragment)
        if not sections:
            raise NothingLeft("Every article of this digest has been withdrawn.")
        pieces: list[EncodedFragment] = []
        for condition, fragments in sections.items():
            pieces.append(self._other if condition is None else self._headings[condition])
            pieces += fragments
        return pieces

    def _next_line(self, day: date) -> str:
        line = self._lines.get(day)
        if line is None:
            with translation.override(self._language):
                line = _("Your next mail comes on %(day)s, if there is something new.") % {
                    "day": date_format(day, "l, j F")
                }
            self._lines[day] = line
        return line


def _bound(message: CompiledMessage, stamp: Stamp) -> CompiledMessage:
    """Return the message with everything filled that all its readers share."""
    bound = message.bind({Slot.DATE: format_date(stamp.dated), Slot.REASON: ""})
    for slot, (before, after) in (
        (Slot.UNSUBSCRIBE_URL, links.unsubscribe_parts()),
        (Slot.WITHDRAW_URL, links.withdraw_parts()),
    ):
        bound = bound.bind_link(slot, before, after, length=LASTING_LENGTH)
    return bound


def _personal(
    message: CompiledMessage, stamp: Stamp
) -> Callable[[ReaderRow], dict[str, str | bytes]]:
    """Return the function that makes a reader's own values, with all else worked out."""
    unsubscribe = lasting_signer(Purpose.UNSUBSCRIBE, stamp.token_version)
    withdraw = lasting_signer(Purpose.WITHDRAW, stamp.token_version)
    message_id = message_ids(stamp, message.sender_domain)

    def values(reader: ReaderRow) -> dict[str, str | bytes]:
        subscriber, email, first_name, subscription, _text_only = reader
        return {
            "to": format_recipient(first_name, email),
            "message_id": message_id(subscriber),
            "unsubscribe_url": unsubscribe(subscription),
            "withdraw_url": withdraw(subscription),
            "first_name": first_name,
        }

    return values


def message_ids(stamp: Stamp, domain: str) -> Callable[[int], str]:
    """Return a function from subscriber id to Message-ID: fixed for a mailing, telling nothing.

    Keyed by the mailing's salt, so that nobody can tell from two mails which reader got them, and
    no rotation of keys changes it. Not a token: nothing is ever read from it. Raises nothing.
    """
    key = stamp.salt
    if not key:
        # A mailing that was made before mailings had a salt, and is still being sent.
        keys = settings.TOKEN_KEYS
        key = next(
            (secret for version, secret in keys if version == stamp.token_version), keys[0][1]
        )
    keyed = blake2b(b"wellread:message-id\0%d\0" % stamp.mailing_id, key=key[:64], digest_size=18)
    start = keyed.copy
    suffix = f"@{domain}>"

    def message_id(subscriber_id: int) -> str:
        digest = start()
        digest.update(b"%d" % subscriber_id)
        return f"<{digest.hexdigest()}{suffix}"

    return message_id
