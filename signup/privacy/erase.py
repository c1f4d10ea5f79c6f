"""Erasure (GDPR Art. 17): the person goes, the counts and the proof stay."""

from django.db import transaction

from signup import consent
from signup.models import ConsentEntry, Subscriber, Suppression
from signup.privacy import registry
from signup.suppress import suppress


def erase(*, subscriber: Subscriber, method: ConsentEntry.Method, source: str) -> bool:
    """Erase a reader in every station; return False when that was done before.

    Order matters: first everything ends and the address is suppressed (a keyed hash stays, so
    that no import mails it again), then the ledger notes the erasure, then every holder empties
    its tables. All of it or nothing.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if subscriber.is_erased:
            return False
        suppress(subscriber=subscriber, reason=Suppression.Reason.ERASURE, source=source)
        subscriber.refresh_from_db()
        consent.record(
            subscriber=subscriber,
            action=ConsentEntry.Action.ERASED,
            purpose=None,
            method=method,
        )
        # Ours last: it cuts the tie that the others still look the reader up by.
        for holder in sorted(registry.holders(), key=lambda holder: holder.name == "signup"):
            holder.erase(subscriber)
        return True
