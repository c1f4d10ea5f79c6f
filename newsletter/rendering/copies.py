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

from newsletter.catalogue.models import Newsletter
from newsletter.rendering import links, subjects
from newsletter.rendering.digest_body import DigestBody
from newsletter.rendering.fragments import EncodedFragment, while_away
from newsletter.rendering.heading_lines import mail_domain
from newsletter.wire.headers import format_address, format_date
from newsletter.wire.message import CompiledMessage
from newsletter.wire.slots import Slot
from signup.models import Subscription
from signup.tokens import unsubscribe_token, withdraw_token


class ReaderRow(NamedTuple):
    """What a copy needs to know of its reader, as `values_list` gives it."""

    subscriber_id: int
    email: str
    first_name: str
    subscription_id: int
    text_only: bool = False


class IssueCopies:
    """The copies of one issue's mailing, from its frozen message."""

    def __init__(
        self, message: CompiledMessage, *, newsletter: Newsletter, mailing_id: int, dated: datetime
    ) -> None:
        self._both = message.bind({Slot.DATE: format_date(dated), Slot.REASON: ""})
        self._text_only = self._both.text_only()
        self._personal = _Personal(newsletter, mailing_id)

    def copy(self, reader: ReaderRow) -> bytes:
        """Return the whole message for one reader.

        Raises wire.headers.UnsafeValue for an address that no header may carry.
        """
        message = self._text_only if reader.text_only else self._both
        return message.fill(self._personal.values(reader))


class Extras(NamedTuple):
    """What one reader's digest says besides its articles.

    `next_digest` is the day of the next one, by the reader's clock; None promises none. `away`
    counts what came out while the reader paused. `names_conditions`: the subject may name them.
    """

    next_digest: date | None = None
    cadence: str = Subscription.Cadence.WEEKLY
    names_conditions: bool = False
    away: int = 0


_NOTHING_MORE = Extras()


class DigestCopies:
    """The copies of one digest run in one language."""

    def __init__(
        self,
        shell: CompiledMessage,
        *,
        newsletter: Newsletter,
        mailing_id: int,
        dated: datetime,
        language: str,
        body: DigestBody,
    ) -> None:
        self._both = shell.bind({Slot.DATE: format_date(dated), Slot.REASON: ""})
        self._text_only = self._both.text_only()
        self._personal = _Personal(newsletter, mailing_id)
        self._words = _Words(language)
        self._may_name = newsletter.may_name_conditions
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
        last = self._words.away(extras.away) if extras.away else None
        body = self._body.join(reader.subscription_id, article_ids, follows, last)
        values = self._personal.values(reader)
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
        self._away: dict[int, EncodedFragment] = {}

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

    def away(self, count: int) -> EncodedFragment:
        found = self._away.get(count)
        if found is None:
            found = self._away[count] = while_away(count, self._language).encoded()
        return found


class _Personal:
    """The values that are a reader's own, with everything worked out that is not."""

    def __init__(self, newsletter: Newsletter, mailing_id: int) -> None:
        self._before, self._after = links.unsubscribe_parts()
        self._before_withdraw, self._after_withdraw = links.withdraw_parts()
        self._message_id = message_ids(mailing_id, mail_domain(newsletter))

    def values(self, reader: ReaderRow) -> dict[str, str | bytes]:
        token = unsubscribe_token(reader.subscription_id)
        withdraw = withdraw_token(reader.subscription_id)
        return {
            "to": format_address(reader.first_name, reader.email),
            "message_id": self._message_id(reader.subscriber_id),
            "unsubscribe_url": f"{self._before}{token}{self._after}",
            "withdraw_url": f"{self._before_withdraw}{withdraw}{self._after_withdraw}",
            "first_name": reader.first_name,
        }


def message_ids(mailing_id: int, domain: str) -> Callable[[int], str]:
    """Return a function from subscriber id to Message-ID: fixed for a mailing, telling nothing.

    Keyed, so that nobody can tell from two mails which reader got them; not a token, nothing
    is ever read from it. Raises nothing.
    """
    _version, key = settings.TOKEN_KEYS[0]
    keyed = blake2b(b"wellread:message-id\0%d\0" % mailing_id, key=key[:64], digest_size=18)
    suffix = f"@{domain}>"

    def message_id(subscriber_id: int) -> str:
        digest = keyed.copy()
        digest.update(b"%d" % subscriber_id)
        return f"<{digest.hexdigest()}{suffix}"

    return message_id
