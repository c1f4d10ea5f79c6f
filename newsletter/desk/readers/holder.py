"""What the desk keeps about a reader: when staff looked, and why; and whether digests to this one
are watched (staff only)."""

from collections.abc import Iterable
from typing import Any

from newsletter.desk.models import AccessEntry, DigestCanary
from signup.models import Subscriber
from signup.privacy.registry import Line


class AccessLog:
    """A reader may know when and why staff looked (GDPR Art. 15), not which of them it was.

    Erasing a reader leaves the lines: they hold a number only, and whoever looked must stay
    answerable for it.
    """

    name = "desk"
    models: tuple[str, ...] = ("desk.AccessEntry", "desk.DigestCanary")

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        return ()

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        entries = AccessEntry.objects.filter(subscriber_id=subscriber.pk).order_by("pk")
        return {
            "looked_at_by_staff": [
                {"at": entry.at.isoformat(), "what": entry.action, "reason": entry.reason}
                for entry in entries
            ],
            "digests_watched_since": [
                canary.watched_since.isoformat()
                for canary in DigestCanary.objects.filter(subscription__subscriber=subscriber)
            ],
        }

    def erase(self, subscriber: Subscriber) -> None:
        """The log names no reader. What is watched was one's own to have watched."""
        DigestCanary.objects.filter(subscription__subscriber=subscriber).delete()
