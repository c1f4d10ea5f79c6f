"""Leaving: at once, for good, and with thirty minutes to think again."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from newsletter.transports.values import without_addresses
from signup import cadence, consent, tokens
from signup.address import hashes_of
from signup.models import (
    ConsentEntry,
    ConsentText,
    Parting,
    Subscriber,
    Subscription,
    Suppression,
)

Reason = Subscription.EndedReason
Method = ConsentEntry.Method


@dataclass(frozen=True, slots=True)
class Ended:
    """What ending did. `undo_token` is there only when a live subscription was ended just now."""

    changed: bool
    undo_token: str | None = None


class CannotUndo(Exception):
    """Used already, too late, or the address must not be mailed any more."""


def end(*, subscription: Subscription, reason: Reason, method: Method) -> Ended:
    """End one subscription and write it in the ledger. Harmless twice: the first ending stands."""
    with transaction.atomic():
        Subscriber.objects.locked(subscription.subscriber_id)
        current = Subscription.objects.select_related("newsletter").get(pk=subscription.pk)
        if current.state == Subscription.State.ENDED:
            return Ended(changed=False)
        was_live = current.state == Subscription.State.LIVE
        _end([current], reason=reason, method=method)
        if not was_live:
            return Ended(changed=True)
        return Ended(changed=True, undo_token=_offer_undo([current]))


def end_all(*, subscriber: Subscriber, reason: Reason, method: Method) -> Ended:
    """End everything the reader gets or has asked for. One undo takes all of it back."""
    with transaction.atomic():
        Subscriber.objects.locked(subscriber.pk)
        standing = list(
            Subscription.objects.select_related("newsletter")
            .filter(subscriber=subscriber)
            .exclude(state=Subscription.State.ENDED)
            .order_by("pk")
        )
        were_live = [row for row in standing if row.state == Subscription.State.LIVE]
        _end(standing, reason=reason, method=method)
        if not were_live:
            return Ended(changed=bool(standing))
        return Ended(changed=True, undo_token=_offer_undo(were_live))


def undo(*, token: str) -> list[Subscription]:
    """Take back an ending, once, within thirty minutes (invariant 9); return what is live again.

    Raises BadToken, ExpiredToken or CannotUndo; nothing has changed then.
    """
    subscription_id = tokens.read(tokens.Purpose.UNDO, token).ids[0]
    with transaction.atomic():
        found = Subscription.objects.filter(pk=subscription_id).first()
        if found is None:
            raise CannotUndo
        subscriber = Subscriber.objects.locked(found.subscriber_id)
        ended = list(
            Subscription.objects.select_related("newsletter")
            .filter(
                subscriber=subscriber,
                state=Subscription.State.ENDED,
                undo_hash=sha256(token.encode()).digest(),
                undo_until__gte=timezone.now(),
            )
            .order_by("pk")
        )
        suppressed = Suppression.objects.filter(
            address_hash__in=hashes_of(subscriber.email_key or "")
        )
        if not ended or subscriber.email_key is None or suppressed.exists():
            raise CannotUndo
        for subscription in ended:
            _take_back(subscriber, subscription)
        # Who stays has said nothing about leaving.
        Parting.objects.filter(subscription__in=ended).delete()
        cadence.announce([subscription.pk for subscription in ended])
        return ended


def say_why(*, token: str, reason: str, words: str) -> bool:
    """Keep why a reader left, as said on the goodbye page; False when it is too late for that.

    `token` is the goodbye page's own, so that nobody else can put words into a reader's mouth.
    """
    try:
        subscription_id = tokens.read(tokens.Purpose.UNDO, token).ids[0]
    except tokens.BadToken:
        return False
    with transaction.atomic():
        subscription = Subscription.objects.filter(
            pk=subscription_id,
            state=Subscription.State.ENDED,
            undo_hash=sha256(token.encode()).digest(),
            subscriber__erased_at__isnull=True,
        ).first()
        if subscription is None:
            return False
        Parting.objects.update_or_create(
            subscription=subscription,
            defaults={
                "reason": reason,
                "words": without_addresses(words)[: Parting.LONGEST],
                "at": timezone.now(),
            },
        )
        return True


def _take_back(subscriber: Subscriber, subscription: Subscription) -> None:
    entry = consent.record(
        subscriber=subscriber,
        action=ConsentEntry.Action.CONFIRMED,
        purpose=ConsentText.Purpose.MAIL,
        method=ConsentEntry.Method.UNDO,
        newsletter=subscription.newsletter,
        text=_text_agreed_to(subscription),
    )
    subscription.state = Subscription.State.LIVE
    subscription.ended_reason = ""
    # live_at stays: who undoes never left, and is still owed what came out before (digests).
    subscription.ended_at = None
    subscription.consent = entry
    subscription.undo_hash = subscription.undo_until = None
    subscription.awaits_note = False  # who comes back knows of us
    subscription.save()


def _end(subscriptions: Iterable[Subscription], *, reason: Reason, method: Method) -> None:
    now = timezone.now()
    for subscription in subscriptions:
        subscription.state = Subscription.State.ENDED
        subscription.ended_reason = reason
        subscription.ended_at = now
        subscription.consent = None
        subscription.undo_hash = subscription.undo_until = None
        subscription.save()
        consent.record(
            subscriber=subscription.subscriber,
            action=(
                ConsentEntry.Action.EXPIRED
                if reason == Reason.EXPIRED
                else ConsentEntry.Action.WITHDRAWN
            ),
            purpose=ConsentText.Purpose.MAIL,
            method=method,
            newsletter=subscription.newsletter,
        )


def _offer_undo(subscriptions: Sequence[Subscription]) -> str:
    """Return a token that works once: its hash stands in the rows and goes with its use."""
    token = tokens.make(tokens.Purpose.UNDO, subscriptions[0].pk, secrets.randbits(64))
    Subscription.objects.filter(pk__in=[row.pk for row in subscriptions]).update(
        undo_hash=sha256(token.encode()).digest(),
        undo_until=timezone.now() + tokens.MAX_AGE[tokens.Purpose.UNDO],
    )
    return token


def _text_agreed_to(subscription: Subscription) -> ConsentText | None:
    """The wording behind the consent that was withdrawn: undoing agrees to the same words."""
    entry = (
        ConsentEntry.objects.select_related("text")
        .filter(
            subject=subscription.subscriber.consent_subject.subject,
            newsletter=subscription.newsletter,
            purpose=ConsentText.Purpose.MAIL,
            action__in=[ConsentEntry.Action.CONFIRMED, ConsentEntry.Action.IMPORTED],
        )
        .order_by("-seq")
        .first()
    )
    return entry.text if entry else None
