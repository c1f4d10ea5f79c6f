"""Bringing readers in from elsewhere: each line with its basis and its evidence, tried out first.

A file holds what `signup.consent.bases` asks for, a reader to a line. Nothing here lifts a
suppression or brings back who has left (invariant 9), and nobody is taken in silently: each new
reader is mailed at once where the address came from and how to say no, and nothing else before
that note was accepted (GDPR Art. 14).
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.address import Address, BadAddress, normalise
from signup.consent import bases
from signup.models import ConsentEntry, Subscriber, Subscription, SystemMail

COLUMNS = ("address", "basis", "date", "evidence", "where", "language")
_NEEDED = COLUMNS[:5]
MOST_LINES = 5_000
MOST_OCTETS = 2_000_000
# A consent older than this says little; ask those readers to sign up instead.
OLDEST = timedelta(days=2 * 365)
NOTICE_LASTS = timedelta(days=14)
NOTICES_AT_ONCE, NOTICES_EVERY = 100, timedelta(seconds=15)
# Read by several people or by none; nobody can agree for them all (M3AAWG Sender BCP).
ROLES = frozenset(
    {
        *("abuse", "admin", "all", "billing", "contact", "everyone"),
        *("help", "hostmaster", "info", "list", "mail", "mailer-daemon"),
        *("marketing", "no-reply", "noc", "noreply", "office", "postmaster"),
        *("root", "sales", "security", "service", "staff", "support"),
        *("team", "webmaster"),
    }
)


class BadFile(ValueError):
    """The file cannot be read as a whole; the message says why. Nothing was written."""


class Fate(Enum):
    TAKEN = "taken in"
    ALREADY = "is live already; nothing was changed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one line. It names no address: the line's number says which it is."""

    line: int
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    outcomes: list[Outcome]

    def count(self, fate: Fate) -> int:
        return sum(outcome.fate is fate for outcome in self.outcomes)


class _TriedOut(Exception):
    """Takes everything back."""


def run(*, text: str, newsletter: Newsletter, by: str, dry: bool = True) -> Report:
    """Take in the readers of a CSV file, a line to a transaction; `dry` takes every line back.

    A dry run does all that a real one does, so that its report is what would happen. `by` stands in
    the evidence. Safe to repeat: who is live stays as they are. Raises BadFile.
    """
    rows = list(_rows(text))
    outcomes: list[Outcome] = []
    seen: set[str] = set()
    taken = 0
    for number, row in rows:
        try:
            address = _address(row["address"])
            if address.key in seen:
                raise bases.BasisRefused("This address stands in the file twice.")
            seen.add(address.key)
            with transaction.atomic():
                fate = _take(address, row, newsletter, by, place=taken)
                if dry:
                    raise _TriedOut
        except _TriedOut:
            outcomes.append(Outcome(number, fate))
        except (bases.BasisRefused, BadAddress) as error:
            outcomes.append(Outcome(number, Fate.REFUSED, str(error)))
        else:
            outcomes.append(Outcome(number, fate))
            taken += fate is Fate.TAKEN
    return Report(outcomes)


def _take(
    address: Address, row: dict[str, str], newsletter: Newsletter, by: str, *, place: int
) -> Fate:
    language = row["language"] or settings.LANGUAGE_CODE
    if language not in dict(settings.LANGUAGES):
        raise bases.BasisRefused("The language is none of those that mails are written in.")
    on = _day(row["date"])
    live = Subscription.objects.live().filter(
        subscriber__email_key=address.key, newsletter=newsletter
    )
    if live.exists():
        return Fate.ALREADY
    if row["basis"] == ConsentEntry.Action.SOFT_OPT_IN:
        sale = bases.Sale(on=on, reference=row["evidence"], refusal_offered=row["where"])
        subscription = bases.record_soft_opt_in(
            address=address, newsletter=newsletter, sale=sale, by=by, language=language
        )
    elif row["basis"] == ConsentEntry.Action.IMPORTED:
        origin = bases.Origin(given_on=on, source=row["where"], proof=row["evidence"])
        subscription = bases.record_import(
            address=address, newsletter=newsletter, origin=origin, by=by, language=language
        )
    else:
        raise bases.BasisRefused("The basis must be imported or soft_opt_in.")
    subscription.awaits_note = True
    subscription.save(update_fields=["awaits_note"])
    _owe_notice(subscription.subscriber, place)
    return Fate.TAKEN


def _owe_notice(subscriber: Subscriber, place: int) -> None:
    """The one letter that says where the address came from. The sweep sends it.

    Few at a time: they share their queue with confirmations, which must not wait behind them.
    """
    now = timezone.now()
    SystemMail.objects.create(
        kind=SystemMail.Kind.BROUGHT_IN,
        subscriber=subscriber,
        retry_at=now + NOTICES_EVERY * (place // NOTICES_AT_ONCE),
        expires_at=now + NOTICE_LASTS,
    )


def _address(typed: str) -> Address:
    address = normalise(typed)
    if address.key.partition("@")[0] in ROLES:
        raise bases.BasisRefused(
            "This mailbox is no one person's: several read it, and none can agree for all."
        )
    return address


def _day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise bases.BasisRefused("The date must look like 2026-03-31.") from None
    if timezone.localdate() - day > OLDEST:
        raise bases.BasisRefused("That was more than two years ago: ask them to sign up anew.")
    return day


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and cells of each line. The whole file is looked at before anything is done."""
    if len(text.encode()) > MOST_OCTETS:
        raise BadFile(f"The file is larger than {MOST_OCTETS // 1_000} kilobytes.")
    if "\0" in text:
        raise BadFile("The file is not plain text.")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise BadFile(f"The file is no CSV: {error}.") from error
    if not lines:
        raise BadFile("The file is empty.")
    if len(lines) - 1 > MOST_LINES:
        raise BadFile(f"Bring at most {MOST_LINES} readers at once.")
    names = [cell.strip().lower() for cell in lines[0][1]]
    _check_header(names)
    for number, cells in lines[1:]:
        filled = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        yield number, {name: filled.get(name, "") for name in COLUMNS}


def _check_header(names: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise BadFile(f"The first line must name the columns; missing: {', '.join(missing)}.")
    if unknown := [name for name in names if name not in COLUMNS]:
        raise BadFile(f"Columns that nobody asked for: {', '.join(unknown)}.")
    if len(set(names)) != len(names):
        raise BadFile("A column stands there twice.")
