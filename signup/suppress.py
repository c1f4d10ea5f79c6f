"""Addresses that must not be mailed. Only the reader lifts that, by confirming anew."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from signup import unsubscribe
from signup.address import hash_address, hashes_of
from signup.models import ConsentEntry, Subscriber, Subscription, Suppression, SystemMail

# A stronger reason takes the place of a weaker one, never the other way round.
_STRENGTH = [
    Suppression.Reason.HARD_BOUNCE,
    Suppression.Reason.COMPLAINT,
    Suppression.Reason.REQUEST,
    Suppression.Reason.ERASURE,
]
_ENDS = {
    Suppression.Reason.HARD_BOUNCE: (
        Subscription.EndedReason.BOUNCED,
        ConsentEntry.Method.BOUNCE,
    ),
    Suppression.Reason.COMPLAINT: (
        Subscription.EndedReason.COMPLAINED,
        ConsentEntry.Method.COMPLAINT,
    ),
    Suppression.Reason.REQUEST: (Subscription.EndedReason.STAFF, ConsentEntry.Method.STAFF),
    Suppression.Reason.ERASURE: (Subscription.EndedReason.ERASED, ConsentEntry.Method.STAFF),
}


def suppress(
    *,
    reason: Suppression.Reason,
    source: str,
    subscriber: Subscriber | None = None,
    address_key: str | None = None,
) -> Suppression | None:
    """Never mail this address again, and end what it gets. Harmless twice.

    Give the reader, or the address' key (`signup.address.normalise(…).key`) when it may belong
    to no reader. Returns None for a reader who was erased: nothing is left to suppress, and
    erasing has suppressed the address already.
    """
    with transaction.atomic():
        if subscriber is None:
            if address_key is None:
                raise ValueError("Suppress a subscriber or an address_key.")
            subscriber = Subscriber.objects.filter(email_key=address_key).first()
        if subscriber is not None:
            subscriber = Subscriber.objects.locked(subscriber.pk)
            address_key = subscriber.email_key
        if address_key is None:
            return None
        suppression = _insert(address_key, reason, source)
        if subscriber is not None:
            _point_at(subscriber, suppression)
            ended_reason, method = _ENDS[reason]
            unsubscribe.end_all(subscriber=subscriber, reason=ended_reason, method=method)
        return suppression


def is_suppressed(address_key: str) -> bool:
    """True when this address must not be mailed, under any listed key."""
    return Suppression.objects.filter(address_hash__in=hashes_of(address_key)).exists()


def lift(*, address_key: str | None, asked_at: datetime) -> list[Suppression]:
    """Lift what stands against an address, because its reader has confirmed anew.

    Called by `signup.confirm` and `signup.relocate` alone (invariant 9). What was said *after* the
    reader asked stands: an old link lifts nothing. A bounce is the exception, since whoever pressed
    the button in a mail has shown that the mailbox works. Returns what was lifted; raises
    StillSuppressed.
    """
    if address_key is None:
        raise StillSuppressed
    against = Suppression.objects.filter(address_hash__in=hashes_of(address_key))
    newer = Q(created_at__gt=asked_at) & ~Q(reason=Suppression.Reason.HARD_BOUNCE)
    if against.filter(newer).exists():
        raise StillSuppressed
    lifted = list(against)
    against.delete()
    return lifted


class StillSuppressed(Exception):
    """The reader asked not to be mailed after asking for this."""


def _insert(address_key: str, reason: Suppression.Reason, source: str) -> Suppression:
    suppression, created = Suppression.objects.get_or_create(
        address_hash=hash_address(address_key),
        defaults={"reason": reason, "source": source[:100]},
    )
    if not created and _STRENGTH.index(reason) > _STRENGTH.index(
        Suppression.Reason(suppression.reason)
    ):
        suppression.reason, suppression.source = reason, source[:100]
        suppression.created_at = timezone.now()
        suppression.save(update_fields=["reason", "source", "created_at"])
    return suppression


def _point_at(subscriber: Subscriber, suppression: Suppression) -> None:
    """Keep eligibility one join, also after keys were rotated, and the 30 days' count honest."""
    if bytes(subscriber.address_hash or b"") != bytes(suppression.address_hash):
        subscriber.address_hash = suppression.address_hash
        subscriber.save(update_fields=["address_hash"])
    last = (
        SystemMail.objects.filter(subscriber=subscriber, kind__in=SystemMail.CONFIRMATIONS)
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    if last and (suppression.confirmation_at is None or suppression.confirmation_at < last):
        suppression.confirmation_at = last
        suppression.save(update_fields=["confirmation_at"])
