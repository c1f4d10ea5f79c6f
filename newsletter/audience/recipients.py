"""Whom a newsletter goes to, as one query."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup.models import Subscription, Suppression


def recipients(newsletter: Newsletter, *, through_pauses: bool = False) -> QuerySet[Subscription]:
    """Return the subscriptions that a mailing planned now goes to, unordered.

    Live, with consent that the ledger shows (invariant 1), not suppressed, not paused, not
    erased, not waiting for the note that tells where the address came from; for a digest, which
    is made from what a reader follows, with the consent to use that. `through_pauses` adds the
    paused who chose to get safety alerts all the same.

    A suppression made under an older key than the reader's own hash is not seen here. The check
    before each chunk sees it (`eligibility.check`); this query is what planning can afford.
    """
    awake = Q(paused_until__isnull=True) | Q(paused_until__lte=timezone.now())
    if through_pauses:
        awake |= Q(subscriber__alerts_while_paused=True)
    found = (
        Subscription.objects.live()
        .filter(
            newsletter=newsletter,
            consent__isnull=False,
            awaits_note=False,
            subscriber__erased_at__isnull=True,
            subscriber__email__isnull=False,
        )
        .filter(awake)
        .filter(
            ~Exists(Suppression.objects.filter(address_hash=OuterRef("subscriber__address_hash")))
        )
    )
    if newsletter.is_digest:
        found = found.filter(subscriber__health_consent__isnull=False)
    return found
