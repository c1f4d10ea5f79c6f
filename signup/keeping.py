"""Keeping what somebody typed: a sign-up's rows in two journeys to the database.

The first finds the reader, under lock, and what depends on nothing else; the second writes what
needs the keys and the end of the ledger's chain that the first brought back. Both are the same
statements for every address (invariant 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter
from signup import consent, offered, tokens
from signup.address import Address, hashes_of
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    ConsentText,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
    asked,
    plain,
)

# The last fence, in rows, when the limits in Redis are out of order.
SIGN_UPS_A_DAY = 10
_DAY = timedelta(days=1)

_Newsletters = SignUp.newsletters.through
_Conditions = SignUp.conditions.through
_Texts = SignUp.consent_texts.through


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One sign-up whose choice is possible and agreed to (signup.subscribe)."""

    address: Address
    newsletters: Sequence[Newsletter]
    conditions: Sequence[Condition]
    cadence: Subscription.Cadence
    texts: Sequence[ConsentText]
    first_name: str
    language: str
    form_url: str


def keep(typed: Typed) -> SystemMail | None:
    """Write a sign-up down with its lines of the ledger; return the mail that is due, if any."""
    now = timezone.now()
    with transaction.atomic():
        begun = _begin(typed, now)
        return _finish(typed, begun, now) if begun is not None else None


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first journey brought back. `taken`: this address may be mailed now."""

    subscriber_id: int
    sign_up_id: int
    chain: ConsentSubject
    taken: bool


def _begin(typed: Typed, now: datetime) -> _Begun | None:
    """Find or make the reader and the chain, both locked; add the sign-up, unless it is too many.

    Each looks the reader up by the address, since all go before the reader's key is known here.
    """
    texts = _Beginning.on(connection.vendor)
    key, trip = typed.address.key, plain.Trip()
    hashes = hashes_of(key)
    trip.add(
        texts.reader,
        [key, typed.address.email, hashes[0], typed.language, settings.TIME_ZONE, now],
    )
    consent.add_opening(trip, texts.reader_id, [key])
    few = [key, now - _DAY, SIGN_UPS_A_DAY]
    asked.add_taking(trip, hashes, now, only_if=texts.are_few, values=few)
    trip.add(
        texts.sign_up,
        [typed.first_name, typed.cadence, typed.language, typed.form_url[:500], now, key, *few],
    )
    ((subscriber_id,),), (chain,), taken, made = trip.go()
    if not made:
        return None
    return _Begun(subscriber_id, made[0][0], consent.opened(chain), bool(taken))


def _finish(typed: Typed, begun: _Begun, now: datetime) -> SystemMail | None:
    """Write what was chosen and agreed to, open the subscriptions, queue the confirmation."""
    vendor, trip = connection.vendor, plain.Trip()
    for through, column, chosen in (
        (_Newsletters, "newsletter_id", typed.newsletters),
        (_Conditions, "condition_id", typed.conditions),
        (_Texts, "consenttext_id", typed.texts),
    ):
        if chosen:
            trip.add(
                plain.insert_into(
                    vendor, through, plain.given("signup_id", column), rows=len(chosen)
                ),
                [value for one in chosen for value in (begun.sign_up_id, one.pk)],
            )
    # One pending row for each newsletter that has none; live and ended rows stay as they are.
    trip.add(
        plain.insert_into(
            vendor,
            Subscription,
            _SUBSCRIPTION,
            rows=len(typed.newsletters),
            conflict="DO NOTHING",
        ),
        [
            value
            for newsletter in typed.newsletters
            for value in (begun.subscriber_id, newsletter.pk, typed.cadence, now)
        ],
    )
    consent.add_lines(trip, begun.chain, _given(typed), now)
    asked.add_noting(trip, hashes_of(typed.address.key), now, taken=begun.taken)
    expires_at = now + tokens.MAX_AGE[tokens.Purpose.CONFIRM]
    ids = (begun.subscriber_id, begun.sign_up_id)
    trip.add(
        _mail_text(vendor),
        [*ids, now, expires_at, begun.subscriber_id, Subscription.State.LIVE,
         SystemMail.Kind.ADD, SystemMail.Kind.CONFIRM, begun.taken],
    )  # fmt: skip
    mail = trip.go()[-1]
    if not mail:
        return None
    # In the order of the model's columns, as `from_db` wants them.
    return SystemMail.from_db(
        connection.alias,
        ["id", "kind", "subscriber_id", "sign_up_id", "expires_at", "created_at"],
        [*mail[0], *ids, expires_at, now],
    )


def _given(typed: Typed) -> list[consent.Statement]:
    """One line for each newsletter, and one for each of the other consents."""
    by_purpose = {text.purpose: text for text in typed.texts}
    publisher = offered.publisher_name()
    statements = [
        consent.Statement(
            action=ConsentEntry.Action.GIVEN,
            purpose=ConsentText.Purpose.MAIL,
            method=ConsentEntry.Method.FORM,
            newsletter=newsletter,
            text=by_purpose[ConsentText.Purpose.MAIL],
            form_url=typed.form_url,
            evidence=f"shown as: {newsletter.name}, by {publisher}",
        )
        for newsletter in typed.newsletters
    ]
    for purpose in (ConsentText.Purpose.HEALTH, ConsentText.Purpose.MEASUREMENT):
        if purpose in by_purpose:
            statements.append(
                consent.Statement(
                    action=ConsentEntry.Action.GIVEN,
                    purpose=purpose,
                    method=ConsentEntry.Method.FORM,
                    text=by_purpose[purpose],
                    form_url=typed.form_url,
                )
            )
    return statements


# --- The statements' texts ------------------------------------------------------------------------

_SUBSCRIPTION = plain.given("subscriber_id", "newsletter_id", "cadence", "created_at")


@dataclass(frozen=True, slots=True)
class _Beginning:
    reader: str
    reader_id: str
    are_few: str
    sign_up: str

    @classmethod
    @cache
    def on(cls, vendor: str) -> "_Beginning":
        readers, sign_ups = plain.table(Subscriber), plain.table(SignUp)
        reader_id = f"(SELECT id FROM {readers} WHERE email_key = %s)"  # noqa: S608 - our names
        are_few = (
            f"(SELECT COUNT(*) FROM {sign_ups} "  # noqa: S608
            f"WHERE subscriber_id = {reader_id} AND created_at > %s) < %s"
        )
        names = ("email_key", "email", "address_hash", "language", "timezone", "created_at")
        typed = ("first_name", "cadence", "language", "form_url", "created_at")
        return cls(
            # Found, it is written as it stands: an UPDATE's lock, the same statement if it is new.
            reader=plain.insert_into(
                vendor,
                Subscriber,
                plain.given(*names),
                conflict="(email_key) DO UPDATE SET email_key = excluded.email_key",
                returning="id",
            ),
            reader_id=reader_id,
            are_few=are_few,
            sign_up=plain.insert_into(
                vendor,
                SignUp,
                plain.given(*typed, subscriber_id=reader_id),
                where=are_few,
                returning="id",
            ),
        )


@cache
def _mail_text(vendor: str) -> str:
    live = (
        f"CASE WHEN EXISTS (SELECT 1 FROM {plain.table(Subscription)} "  # noqa: S608 - our names
        "WHERE subscriber_id = %s AND state = %s) THEN %s ELSE %s END"
    )
    names = ("subscriber_id", "sign_up_id", "created_at", "expires_at")
    return plain.insert_into(
        vendor, SystemMail, plain.given(*names, kind=live), where="%s", returning="id, kind"
    )
