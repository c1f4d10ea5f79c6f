"""The last look's rule (`eligibility.check`), for a query that reads the rows anyway.

The hot path of sending joins deliveries with their readers; asking the rule of its own would read
both a second time. tests/audience holds the two to each other, reader by reader.
"""

from collections.abc import Collection

from django.conf import settings

from newsletter.audience.eligibility import check
from newsletter.audience.reasons import Reason
from newsletter.catalogue.models import Newsletter

# For tables called `reader` (signup_subscriber) and `sub` (signup_subscription, LEFT JOIN). One
# parameter: now. Reasons in the order in which `eligibility` finds them. No EXISTS: PostgreSQL may
# answer that by reading all suppressions at once.
_VERDICT = f"""CASE
 WHEN sub.id IS NULL THEN '{Reason.NOT_LIVE}'
 WHEN reader.erased_at IS NOT NULL OR COALESCE(reader.email, '') = ''
  OR COALESCE(reader.email_key, '') = '' THEN '{Reason.ERASED}'
 WHEN sub.state <> 'live' THEN '{Reason.NOT_LIVE}'
 WHEN sub.consent_id IS NULL %s THEN '{Reason.NO_CONSENT}'
 WHEN sub.paused_until > %%s %s THEN '{Reason.PAUSED}'
 WHEN sub.awaits_note THEN '{Reason.NOT_TOLD}'
 WHEN (SELECT 1 FROM signup_suppression barred
  WHERE barred.address_hash = reader.address_hash LIMIT 1) = 1 THEN '{Reason.SUPPRESSED}'
 END"""  # noqa: S608  # only words of our own are put in


def verdict(newsletter: Newsletter, *, through_pauses: bool = False) -> str:
    """Return an SQL expression: the reason why the reader gets no copy, or NULL.

    A safety alert goes `through_pauses` of those who chose so.
    """
    return _VERDICT % (
        "OR reader.health_consent_id IS NULL" if newsletter.is_digest else "",
        "AND NOT reader.alerts_while_paused" if through_pauses else "",
    )


def older_keys_bar(
    newsletter: Newsletter,
    readers: Collection[tuple[int, bytes | memoryview | None]],
    *,
    through_pauses: bool = False,
) -> dict[int, Reason]:
    """Return those of the (subscriber, address hash) whom only a suppression under another key
    bars: the expression compares the reader's own hash, which was made under one key.

    Costs nothing while there is one key, under which all hashes were made.
    """
    (newest, _), *older = settings.SUPPRESSION_KEYS
    doubtful = [
        subscriber for subscriber, hashed in readers if older or not hashed or hashed[0] != newest
    ]
    if not doubtful:
        return {}
    verdicts = check(newsletter=newsletter, subscriber_ids=doubtful, through_pauses=through_pauses)
    return {subscriber: reason for subscriber, reason in verdicts.items() if reason is not None}
