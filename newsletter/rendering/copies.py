"""An edition and a reader in, that reader's bytes out. The hot path.

The same mailing and the same reader give the same bytes, so that a copy that is sent again
after an unknown outcome is no new mail (invariant 7).
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.rendering import links, subjects
from newsletter.rendering.digest_body import DigestBody
from newsletter.rendering.fragments import EncodedFragment, more_new, while_away
from newsletter.wire.headers import format_date, format_recipient
from newsletter.wire.message import CompiledMessage
from newsletter.wire.slots import Slot
from signup.models import Subscription
from signup.tokens import LASTING_LENGTH, Purpose, lasting_signer

# Of a Message-ID's left side, written as twice as many digits.
_ID_OCTETS = 18


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


class Extras(NamedTuple):
    """What one reader's digest says besides its articles.

    `next_digest` is the day of the next one, by the reader's clock; None promises none. `away`
    counts what came out while the reader paused, `more` what is new and not shown.
    `names_conditions`: the subject may name them.
    """

    next_digest: date | None = None
    cadence: str = Subscription.Cadence.WEEKLY
    names_conditions: bool = False
    away: int = 0
    more: int = 0


_NOTHING_MORE = Extras()


class DigestCopies:
    """The copies of one digest run in one language."""

    def __init__(
        self,
        shell: CompiledMessage,
        stamp: Stamp,
        *,
        language: str,
        body: DigestBody,
        may_name_conditions: bool = False,
    ) -> None:
        """`may_name_conditions`: the newsletter allows it, for readers who chose it."""
        self._both = _bound(shell, stamp)
        self._text_only = self._both.text_only()
        self._values = _personal(shell, stamp)
        self._words = _Words(language)
        self._may_name = may_name_conditions
        self._body = body

    def holds(self, article_ids: Sequence[int], follows: Collection[int]) -> bool:
        """True when there is something to send to a reader who follows these."""
        return self._body.holds(article_ids, follows)

    def copy(
        self,
        reader: ReaderRow,
        article_ids: Sequence[int],
        follows: Collection[int],
        extras: Extras | None = None,
    ) -> bytes:
        """Return the whole message for one reader: `article_ids` in their order, gathered under
        the conditions among `follows` that brought them.

        Raises NothingLeft when nothing is to be shown any more.
        """
        extras = extras or _NOTHING_MORE
        last = self._words.last(extras.more, extras.away)
        body = self._body.join(reader.subscription_id, article_ids, follows, last)
        values = self._values(reader)
        values[Slot.BODY_TEXT] = body.text
        values[Slot.BODY_HTML] = body.html
        day = extras.next_digest
        values[Slot.NEXT_DIGEST] = self._words.next_digest(day) if day else ""
        if self._may_name and extras.names_conditions:
            values[Slot.SUBJECT] = self._words.naming(tuple(map(self._body.name, body.conditions)))
        else:
            values[Slot.SUBJECT] = self._words.neutral(extras.cadence)
        message = self._text_only if reader.text_only else self._both
        return message.fill(values)


class _Words:
    """Sentences of one language, each made once and not for each reader."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._lines: dict[date, str] = {}
        self._subjects: dict[str | tuple[str, ...], str] = {}
        self._last: dict[tuple[int, int], EncodedFragment] = {}

    def next_digest(self, day: date) -> str:
        line = self._lines.get(day)
        if line is None:
            with translation.override(self._language):
                line = _("Your next mail comes on %(day)s, if there is something new.") % {
                    "day": date_format(day, "l, j F")
                }
            self._lines[day] = line
        return line

    def neutral(self, cadence: str) -> str:
        found = self._subjects.get(cadence)
        if found is None:
            with translation.override(self._language):
                found = self._subjects[cadence] = subjects.neutral(cadence)
        return found

    def naming(self, conditions: tuple[str, ...]) -> str:
        found = self._subjects.get(conditions)
        if found is None:
            with translation.override(self._language):
                found = self._subjects[conditions] = subjects.naming(conditions)
        return found

    def last(self, more: int, away: int) -> EncodedFragment | None:
        """Return what stands behind all sections: how much more is new, and what came out during
        a pause; None where there is nothing to say."""
        if not more and not away:
            return None
        found = self._last.get((more, away))
        if found is None:
            parts = [more_new(more, self._language)] if more else []
            parts += [while_away(away, self._language)] if away else []
            pieces = [part.encoded() for part in parts]
            found = self._last[more, away] = EncodedFragment(
                b"".join(piece.html for piece in pieces), b"".join(piece.text for piece in pieces)
            )
        return found


def _bound(message: CompiledMessage, stamp: Stamp) -> CompiledMessage:
    """Return the message with everything filled that all its readers share."""
    bound = message.bind({Slot.DATE: format_date(stamp.dated), Slot.REASON: ""})
    for slot, (before, after), length in (
        (Slot.UNSUBSCRIBE_URL, links.unsubscribe_parts(), LASTING_LENGTH),
        (Slot.WITHDRAW_URL, links.withdraw_parts(), LASTING_LENGTH),
        (Slot.MESSAGE_ID, ("<", f"@{message.sender_domain}>"), 2 * _ID_OCTETS),
    ):
        bound = bound.bind_token(slot, before, after, length=length)
    return bound


def _personal(
    message: CompiledMessage, stamp: Stamp
) -> Callable[[ReaderRow], dict[str, str | bytes]]:
    """Return the function that makes a reader's own values, with all else worked out."""
    unsubscribe = lasting_signer(Purpose.UNSUBSCRIBE, stamp.token_version)
    withdraw = lasting_signer(Purpose.WITHDRAW, stamp.token_version)
    message_id = _message_digits(stamp)

    def values(reader: ReaderRow) -> dict[str, str | bytes]:
        subscriber, email, first_name, subscription, _text_only = reader
        return {
            "to": format_recipient(first_name, email),
            "message_id": message_id(subscriber).encode(),
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
    digits = _message_digits(stamp)
    return lambda subscriber_id: f"<{digits(subscriber_id)}@{domain}>"


def _message_digits(stamp: Stamp) -> Callable[[int], str]:
    key = stamp.salt
    if not key:
        # A mailing that was made before mailings had a salt, and is still being sent.
        keys = settings.TOKEN_KEYS
        key = next(
            (secret for version, secret in keys if version == stamp.token_version), keys[0][1]
        )
    keyed = blake2b(
        b"wellread:message-id\0%d\0" % stamp.mailing_id, key=key[:64], digest_size=_ID_OCTETS
    )
    start = keyed.copy

    def digits(subscriber_id: int) -> str:
        digest = start()
        digest.update(b"%d" % subscriber_id)
        return digest.hexdigest()

    return digits
