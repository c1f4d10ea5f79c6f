"""How a feed is, in a few words."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editions.models import Feed

# A feed that answers and has brought nothing for so long may have been given up.
QUIET_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Health:
    """`key` is that of a mark in the desk's style sheet."""

    key: str
    label: str
    detail: str = ""


def health_of(feed: Feed) -> Health:
    """Say how the feed is today, from its row alone."""
    now = timezone.now()
    if not feed.enabled:
        return Health("cancelled", _("Switched off"))
    if feed.claimed_until and feed.claimed_until > now:
        return Health("sending", _("Being fetched"))
    if feed.tried_at is None:
        return Health("draft", _("Waits for its first fetch"))
    if feed.is_dead:
        return Health("dead", _("Dead"), _trouble(feed))
    if feed.failures:
        return Health("changes", _("In trouble"), _trouble(feed))
    last = feed.brought_at or feed.fetched_at
    if last and last < now - QUIET_AFTER:
        return Health("paused", _("Nothing new for long"), feed.detail)
    return Health("live", _("Works"), feed.detail)


def _trouble(feed: Feed) -> str:
    if not feed.trouble:
        return _("Fetching it did not come to an end.")
    return f"{Feed.Trouble(feed.trouble).label}. {feed.detail}"
