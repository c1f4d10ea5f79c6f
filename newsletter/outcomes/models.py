"""What the world said later. Append-only."""

from django.db import models
from django.utils.translation import gettext_lazy as _


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
    reacted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id"], name="one_event_per_source_id")
        ]
