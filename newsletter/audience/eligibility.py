"""The last look before a chunk goes out: may each of these readers still be mailed?"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from newsletter.audience.reasons import Reason
from newsletter.catalogue.models import Newsletter
from signup.address import hashes_of
from signup.models import Subscription, Suppression


class _Standing(NamedTuple):
    subscriber: int
    state: str
    consent: int | None
    paused_until: datetime | None
    email: str | None
    email_key: str | None
    health_consent: int | None
    erased_at: datetime | None
    awaits_note: bool
    alerts_while_paused: bool


def check(
    *, newsletter: Newsletter, subscriber_ids: Collection[int], through_pauses: bool = False
) -> dict[int, Reason | None]:
    """Return for every id why this reader gets no copy, or None if the copy may go.

    A safety alert goes `through_pauses` of those who chose so.

    Two statements, whatever the number of ids. To be called in the transaction that hands the
    chunk over, so that an unsubscribe is either seen here or was answered later (invariant 4).
    """
    found = {
        row.subscriber: row
        for row in map(
            _Standing._make,
            Subscription.objects.filter(newsletter=newsletter, subscriber__in=subscriber_ids)
            .order_by()
            .values_list(
                "subscriber_id",
                "state",
                "consent_id",
                "paused_until",
                "subscriber__email",
                "subscriber__email_key",
                "subscriber__health_consent_id",
                "subscriber__erased_at",
                "awaits_note",
                "subscriber__alerts_while_paused",
            ),
        )
    }
    now = timezone.now()
    verdicts: dict[int, Reason | None] = {
        subscriber: _judge(
            found.get(subscriber),
            digest=newsletter.is_digest,
            now=now,
            through_pauses=through_pauses,
        )
        for subscriber in subscriber_ids
    }
    # Each address under every key that is listed: a rotated key lifts no suppression.
    hashes = {
        hashed: subscriber
        for subscriber, reason in verdicts.items()
        if reason is None
        for hashed in hashes_of(found[subscriber].email_key or "")
    }
    for hashed in Suppression.objects.filter(address_hash__in=list(hashes)).values_list(
        "address_hash", flat=True
    ):
        verdicts[hashes[bytes(hashed)]] = Reason.SUPPRESSED
    return verdicts


def _judge(
    row: _Standing | None, *, digest: bool, now: datetime, through_pauses: bool
) -> Reason | None:
    if row is None:
        return Reason.NOT_LIVE
    if row.erased_at is not None or not row.email or not row.email_key:
        return Reason.ERASED
    if row.state != Subscription.State.LIVE:
        return Reason.NOT_LIVE
    if row.consent is None or (digest and row.health_consent is None):
        return Reason.NO_CONSENT
    comes_anyway = through_pauses and row.alerts_while_paused
    if row.paused_until is not None and row.paused_until > now and not comes_anyway:
        return Reason.PAUSED
    if row.awaits_note:
        return Reason.NOT_TOLD
    return None
