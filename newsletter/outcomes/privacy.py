"""What outcomes keeps about a reader."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from newsletter.outcomes.models import Event
from signup.models import Subscriber
from signup.privacy.registry import Line


class Events:
    name = "outcomes"
    models: tuple[str, ...] = ("outcomes.Event",)

    def record(self, subscriber: Subscriber) -> Iterable[Line]:
        for event in Event.objects.filter(subscriber=subscriber).order_by("at"):
            yield Line(event.at, _("Your mail service told us: %s") % event.get_kind_display())

    def export(self, subscriber: Subscriber) -> dict[str, Any]:
        return {
            "events": [
                {
                    "kind": event.kind,
                    "at": event.at.isoformat(),
                    "source": event.source,
                    "mailing": event.mailing_id,
                    "status": event.status,
                    "detail": event.detail,
                }
                for event in Event.objects.filter(subscriber=subscriber).order_by("at")
            ]
        }

    def erase(self, subscriber: Subscriber) -> None:
        Event.objects.all().forget(subscriber)
