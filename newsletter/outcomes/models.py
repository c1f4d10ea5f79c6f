"""What the world said later. Append-only."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from signup.models import Subscriber


class AppendOnly(TypeError):
    """An event was about to be changed or deleted. What was said cannot be unsaid."""


class EventQuerySet(models.QuerySet["Event"]):
    # What may be written later is what *we* did about an event, never what was said.
    LATER = frozenset({"reacted_at"})

    def update(self, **values: Any) -> int:
        if not values.keys() <= self.LATER:
            raise AppendOnly("Only `reacted_at` of an event is written later.")
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly("Events are not deleted.")

    def forget(self, subscriber: Subscriber) -> int:
        """Take the reader out of the reader's events; the events stay, and name nobody."""
        return super(EventQuerySet, self.filter(subscriber=subscriber)).update(
            subscriber=None, detail=""
        )


class Event(models.Model):
    class Kind(models.TextChoices):
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("bounced")
        DEFERRED = "deferred", _("deferred")
        COMPLAINED = "complained", _("marked as spam")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        CLICKED = "clicked", _("clicked")

    kind = models.CharField(max_length=15, choices=Kind)
    # Unique per source, so that a webhook delivered twice is recorded once.
    source = models.CharField(max_length=30)
    source_id = models.CharField(max_length=200)
    mailing = models.ForeignKey(
        "sending.Mailing", null=True, on_delete=models.PROTECT, related_name="events"
    )
    subscriber = models.ForeignKey(
        "signup.Subscriber", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Enhanced status code (RFC 3463) where one was given.
    status = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    # When outcomes.reactions looked at it; null: not yet.
    reacted_at = models.DateTimeField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], name="one_event_per_source_id")
        ]
        indexes = [
            models.Index(
                fields=["id"], name="event_unreacted", condition=models.Q(reacted_at__isnull=True)
            ),
            # The dashboard asks for these of mailings with a million other events.
            models.Index(
                fields=["mailing", "subscriber"],
                name="event_complaints",
                condition=models.Q(kind="complained"),
            ),
            # And for these: what came back of a mailing, beside what relays refused of it.
            models.Index(
                fields=["mailing", "subscriber"],
                name="event_came_back",
                condition=models.Q(kind="bounced") & ~models.Q(source="smtp"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.source})"

    def save(self, **how: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("An event is written once.")
        super().save(**how)

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        raise AppendOnly("Events are not deleted.")


class Opinion(models.Model):
    """How many said "more like this" or "less like this" of an issue on a day. Nobody is named:
    the link in the mail is the same in every copy, and only the press of a button counts."""

    class Answer(models.TextChoices):
        MORE = "more", _("more like this")
        LESS = "less", _("less like this")

    issue = models.ForeignKey("editions.Issue", on_delete=models.CASCADE, related_name="opinions")
    answer = models.CharField(max_length=4, choices=Answer)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issue", "answer", "day"], name="one_opinion_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.issue_id} {self.answer} {self.count}"
