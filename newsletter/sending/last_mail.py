"""Who was mailed lately: what the expiry of consent asks (signup.consent.expiry)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from newsletter.sending.models import Delivery, Mailing

# A mailing may begin before the moment that is asked for, and its last copy go out after it.
_LONGEST_RUN = timedelta(days=14)


def mailed_since(newsletter_id: int, subscriber_ids: Collection[int], since: datetime) -> set[int]:
    """Return those to whom a mail of this newsletter went out since then, or may have."""
    mailings = Mailing.objects.filter(newsletter=newsletter_id, dated__gte=since - _LONGEST_RUN)
    return set(
        # By mailing and reader, because that pair is what is indexed.
        Delivery.objects.filter(
            mailing__in=list(mailings.values_list("pk", flat=True)),
            subscriber__in=subscriber_ids,
            state__in=[Delivery.State.ACCEPTED, Delivery.State.UNKNOWN],
            outcome_at__gte=since,
        ).values_list("subscriber_id", flat=True)
    )
