"""Erasure (GDPR Art. 17): the person goes, the counts and the proof stay."""

from django.db import transaction

from signup import consent, unsubscribe
from signup.models import ConsentEntry, Subscriber, Subscription, Suppression
from signup.privacy import registry, traces
from signup.suppress import suppress


def erase(
    *, subscriber: Subscriber, method: ConsentEntry.Method, source: str, never_again: bool = True
) -> bool:
    """Erase a reader in every station; return False when that was done before.

    With `never_again` the address is suppressed: a keyed hash stays, so that nobody mails it again.
    What was suppressed before stays so either way. All of it or nothing. Afterwards the database's
    own left-overs are wiped (signup.privacy.traces).
    """
    with transaction.atomic():
        erased = empty(subscriber=subscriber, method=method, source=source, never_again=never_again)
        if erased:
            transaction.on_commit(traces.wipe)
        return erased


def empty(
    *, subscriber: Subscriber, method: ConsentEntry.Method, source: str, never_again: bool
) -> bool:
    """Erase a reader; the caller wipes the left-overs, once for all whom it empties.

    Order matters: first everything ends and the address is suppressed, then the ledger notes the
    erasure, then every holder empties its tables.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.locked(subscriber.pk)
        if subscriber.is_erased:
            return False
        if never_again:
            suppress(subscriber=subscriber, reason=Suppression.Reason.ERASURE, source=source)
        unsubscribe.end_all(
            subscriber=subscriber, reason=Subscription.EndedReason.ERASED, method=method
        )
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
