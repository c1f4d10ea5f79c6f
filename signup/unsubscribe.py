"""Leaving: at once, for good, and with thirty minutes to think again."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from signup import cadence, consent, tokens
from signup.address import hashes_of
from signup.models import (
    ConsentEntry,
    ConsentText,
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
        return Ended(changed=True, undo_token=_offer_undo(current))


def end_all(*, subscriber: Subscriber, reason: Reason, method: Method) -> int:
    """End everything the reader gets or has asked for; return how many ended just now."""
    with transaction.atomic():
        Subscriber.objects.locked(subscriber.pk)
        standing = list(
            Subscription.objects.select_related("newsletter")
            .filter(subscriber=subscriber)
            .exclude(state=Subscription.State.ENDED)
        )
        _end(standing, reason=reason, method=method)
        return len(standing)


def undo(*, token: str) -> Subscription:
    """Take back an ending, once, within thirty minutes (invariant 9).

    Raises BadToken, ExpiredToken or CannotUndo; nothing has changed then.
    """
    claims = tokens.read(tokens.Purpose.UNDO, token)
    subscription_id = claims.ids[0]
    with transaction.atomic():
        found = Subscription.objects.filter(pk=subscription_id).first()
        if found is None:
            raise CannotUndo
        subscriber = Subscriber.objects.locked(found.subscriber_id)
        subscription = Subscription.objects.select_related("newsletter").get(pk=subscription_id)
        now = timezone.now()
        if not _may_undo(subscriber, subscription, token, now):
            raise CannotUndo
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
        subscription.save()
        cadence.announce([subscription.pk])
        return subscription


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
            action=ConsentEntry.Action.WITHDRAWN,
            purpose=ConsentText.Purpose.MAIL,
            method=method,
            newsletter=subscription.newsletter,
        )


def _offer_undo(subscription: Subscription) -> str:
    """Return a token that works once: its hash stands in the row and goes with its use."""
    token = tokens.make(tokens.Purpose.UNDO, subscription.pk, secrets.randbits(64))
    subscription.undo_hash = sha256(token.encode()).digest()
    subscription.undo_until = timezone.now() + tokens.MAX_AGE[tokens.Purpose.UNDO]
    subscription.save(update_fields=["undo_hash", "undo_until"])
    return token


def _may_undo(
    subscriber: Subscriber, subscription: Subscription, token: str, now: datetime
) -> bool:
    return (
        subscription.state == Subscription.State.ENDED
        and subscription.undo_hash is not None
        and bytes(subscription.undo_hash) == sha256(token.encode()).digest()
        and subscription.undo_until is not None
        and now <= subscription.undo_until
        and subscriber.email_key is not None
        and not Suppression.objects.filter(
            address_hash__in=hashes_of(subscriber.email_key)
        ).exists()
    )


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
