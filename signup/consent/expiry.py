"""Consent does not last for ever: it ends a stated time after the last mail.

Who was not written to for years does not expect it any more. When a reader was last mailed is
known to a station that comes later in the line; it registers itself in `AppConfig.ready()`.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup import unsubscribe
from signup.models import ConsentEntry, ConsentTerm, Subscriber, Subscription

SLICE = 500

# newsletter id, subscriber ids, since → those of them that a mail went out to since then.
MailedSince = Callable[[int, Collection[int], datetime], set[int]]

_askers: list[MailedSince] = []


def on_last_mail(asker: MailedSince) -> None:
    """Register who knows of mail; a second time changes nothing."""
    if asker not in _askers:
        _askers.append(asker)


def term(newsletter: Newsletter) -> timedelta | None:
    """Return how long consent to this newsletter lasts after the last mail; None: for ever."""
    own = ConsentTerm.objects.filter(newsletter=newsletter).values_list("days", flat=True).first()
    days = settings.CONSENT_EXPIRES_AFTER_DAYS if own is None else own
    return timedelta(days=days) if days else None


def expire(*, now: datetime | None = None) -> int:
    """End every live subscription whose consent has run out; return how many.

    A consent that was given, or a pause that ended, within the term counts like a mail. Each
    reader is a transaction of its own, and the ledger notes each: stopped half-way, it goes on.
    """
    now = now or timezone.now()
    ended = 0
    for newsletter in Newsletter.objects.order_by("pk"):
        lasts = term(newsletter)
        if lasts is not None:
            ended += _expire_in(newsletter, now - lasts)
    return ended


def _expire_in(newsletter: Newsletter, before: datetime) -> int:
    ended, after = 0, 0
    while True:
        rows = list(
            Subscription.objects.live()
            .filter(newsletter=newsletter, pk__gt=after, consent__at__lt=before)
            .exclude(paused_until__gte=before)
            .order_by("pk")
            .values_list("pk", "subscriber_id")[:SLICE]
        )
        readers = [subscriber for _pk, subscriber in rows]
        mailed: set[int] = set()
        for asker in _askers:
            mailed |= asker(newsletter.pk, readers, before)
        for pk, subscriber in rows:
            if subscriber not in mailed:
                ended += end_as_expired(subscription_id=pk, consented_before=before)
        if len(rows) < SLICE:
            return ended
        after = rows[-1][0]


def end_as_expired(*, subscription_id: int, consented_before: datetime) -> bool:
    """End one live subscription, unless its reader has agreed anew since. True when it ended."""
    with transaction.atomic():
        found = Subscription.objects.get(pk=subscription_id)
        Subscriber.objects.locked(found.subscriber_id)
        still = Subscription.objects.live().filter(
            pk=subscription_id, consent__at__lt=consented_before
        )
        if not still.exists():
            return False
        return unsubscribe.end(
            subscription=found,
            reason=Subscription.EndedReason.EXPIRED,
            method=ConsentEntry.Method.TERM,
        ).changed
