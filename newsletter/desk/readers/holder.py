"""What the desk keeps about a reader: when staff looked, and why."""

from collections.abc import Iterable
from typing import Any

from newsletter.desk.models import AccessEntry
from signup.models import Subscriber
from signup.privacy.registry import Line


class AccessLog:
    """A reader may know when and why staff looked (GDPR Art. 15), not which of them it was.

    Erasing a reader leaves the lines: they hold a number only, and whoever looked must stay
    answerable for it.
    """

    name = "desk"
    models: tuple[str, ...] = ("desk.AccessEntry",)

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        return ()

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        entries = AccessEntry.objects.filter(subscriber_id=subscriber.pk).order_by("pk")
        return {
            "looked_at_by_staff": [
                {"at": entry.at.isoformat(), "what": entry.action, "reason": entry.reason}
                for entry in entries
            ]
        }

    def erase(self, subscriber: Subscriber) -> None:
        """Nothing here names the reader."""
