"""A reader's mail goes to another address: the new mailbox says yes, the old one is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from signup import consent, suppress, tokens
from signup.address import Address, hash_address
from signup.models import (
    AddressChange,
    ConsentEntry,
    ConsentText,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.subscribe import may_be_asked

CHANGES_A_DAY = 3
NOTICE_FOR = timedelta(days=3)
EVIDENCE = "the reader's address was changed; the new mailbox confirmed"


class CannotMove(Exception):
    """Erased, asked anew since, or nothing is live: an old link moves nothing."""


class AddressTaken(Exception):
    """The new address has a reader of its own, who keeps what was chosen there."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The reader at the new address, and the mail that tells the old one; None the second time."""

    subscriber: Subscriber
    notice: SystemMail | None


def ask(*, subscriber: Subscriber, address: Address) -> SystemMail | None:
    """Keep the new address and return the mail that asks it; None when none is due (limits).

    The same happens whether the address is new, known, ended or suppressed (invariant 13), and
    whoever is typed here gets at most the one confirmation a day that any form could cause. What
    was asked before and is still open is forgotten: the last one counts.
    """
    now = timezone.now()
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if subscriber.is_erased or subscriber.email_key == address.key:
            return None
        mine = AddressChange.objects.filter(subscriber=subscriber)
        if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= CHANGES_A_DAY:
            return None
        SystemMail.objects.filter(
            kind=SystemMail.Kind.ADDRESS, subscriber=subscriber, state=SystemMail.State.QUEUED
        ).update(state=SystemMail.State.EXPIRED)
        change = AddressChange.objects.create(
            subscriber=subscriber, email=address.email, email_key=address.key
        )
        return _question(change, now)


def ask_again(*, change: AddressChange) -> SystemMail | None:
    """Mail a new link for a change whose link has expired; None when none is due."""
    with transaction.atomic():
        Subscriber.objects.locked(change.subscriber_id)
        change = AddressChange.objects.select_related("subscriber").get(pk=change.pk)
        if change.confirmed_at is not None or change.subscriber.is_erased:
            return None
        return _question(change, timezone.now())


def confirm(*, change: AddressChange, asked_at: datetime | None = None) -> Moved:
    """Mail the reader at the new address from now on. Harmless twice.

    Every consent that stands is confirmed anew in the ledger, because whoever reads the new
    mailbox says yes to it by the button. Links that were mailed to the old one show nothing any
    more; they still end. Raises CannotMove or AddressTaken; nothing has changed then.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(change.subscriber_id)
        change = AddressChange.objects.get(pk=change.pk)
        if change.confirmed_at is not None:
            return Moved(subscriber, notice=None)
        newer = AddressChange.objects.filter(subscriber=subscriber, pk__gt=change.pk)
        live = Subscription.objects.live().filter(subscriber=subscriber)
        if subscriber.is_erased or newer.exists() or not live.exists():
            raise CannotMove
        try:
            suppress.lift(address_key=change.email_key, asked_at=asked_at or change.created_at)
        except suppress.StillSuppressed as error:
            raise CannotMove from error
        _make_room(change.email_key)
        now = timezone.now()
        _move(subscriber, change, now)
        _confirm_consents(subscriber, list(live.select_related("newsletter", "consent__text")), now)
        notice = SystemMail.objects.create(
            kind=SystemMail.Kind.MOVED,
            subscriber=subscriber,
            address_change=change,
            expires_at=now + NOTICE_FOR,
        )
        return Moved(subscriber, notice)


def _question(change: AddressChange, now: datetime) -> SystemMail | None:
    if not may_be_asked(change.email_key, now):
        return None
    return SystemMail.objects.create(
        kind=SystemMail.Kind.ADDRESS,
        subscriber=change.subscriber,
        address_change=change,
        expires_at=now + tokens.MAX_AGE[tokens.Purpose.ADDRESS],
    )


def _make_room(email_key: str) -> None:
    """Take the address from a row that was never confirmed; refuse when a reader has it."""
    other = Subscriber.objects.filter(email_key=email_key).first()
    if other is None:
        return
    other = Subscriber.objects.locked(other.pk)
    if Subscription.objects.filter(subscriber=other, live_at__isnull=False).exists():
        raise AddressTaken
    other.delete()


def _move(subscriber: Subscriber, change: AddressChange, now: datetime) -> None:
    change.old_email = subscriber.email or ""
    change.confirmed_at = now
    change.save(update_fields=["old_email", "confirmed_at"])
    subscriber.email, subscriber.email_key = change.email, change.email_key
    subscriber.address_hash = hash_address(change.email_key)
    # Without its fraction, because links are dated in whole seconds.
    subscriber.address_since = now.replace(microsecond=0)
    subscriber.save(update_fields=["email", "email_key", "address_hash", "address_since"])
    # What the old mailbox was asked, nobody at the new one has asked for.
    SignUp.objects.filter(subscriber=subscriber, confirmed_at__isnull=True).delete()


def _confirm_consents(subscriber: Subscriber, live: list[Subscription], now: datetime) -> None:
    subscriber = Subscriber.objects.select_related(
        "health_consent__text", "measurement_consent__text"
    ).get(pk=subscriber.pk)
    statements = [
        _statement(ConsentText.Purpose.MAIL, subscription.consent, subscription)
        for subscription in live
        if subscription.consent is not None  # the database sees to that
    ]
    further = [
        (field, ConsentText.Purpose(entry.purpose), entry)
        for field in ("health_consent", "measurement_consent")
        if (entry := getattr(subscriber, field)) is not None
    ]
    statements += [_statement(purpose, entry) for _field, purpose, entry in further]
    entries = consent.record_all(subscriber=subscriber, statements=statements, at=now)
    for subscription, entry in zip(live, entries, strict=False):
        subscription.consent = entry
        subscription.save(update_fields=["consent"])
    for (field, _purpose, _entry), entry in zip(further, entries[len(live) :], strict=True):
        setattr(subscriber, field, entry)
    subscriber.save(update_fields=["health_consent", "measurement_consent"])


def _statement(
    purpose: ConsentText.Purpose,
    standing: ConsentEntry,
    subscription: Subscription | None = None,
) -> consent.Statement:
    return consent.Statement(
        # The legal basis stays what it was: an import does not turn into a form of ours.
        action=ConsentEntry.Action(standing.action),
        purpose=purpose,
        method=ConsentEntry.Method.CONFIRMATION,
        newsletter=subscription.newsletter if subscription else None,
        text=standing.text,
        evidence=EVIDENCE,
    )
