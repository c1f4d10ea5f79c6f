"""A reader's subscription to one newsletter: one row, never recreated."""

from typing import Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from signup.models.subscriber import Subscriber


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def live(self) -> Self:
        return self.filter(state=Subscription.State.LIVE)


class Subscription(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", _("waiting for confirmation")
        LIVE = "live", _("live")
        ENDED = "ended", _("ended")

    class EndedReason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("the reader's link")
        ONE_CLICK = "one_click", _("the mail program's unsubscribe button")
        PREFERENCES = "preferences", _("the reader's preferences")
        COMPLAINED = "complained", _("marked as spam")
        BOUNCED = "bounced", _("the address does not work")
        ERASED = "erased", _("the reader's data were erased")
        EXPIRED = "expired", _("the consent expired")
        STAFF = "staff", _("ended by staff")

    class Cadence(models.TextChoices):
        IMMEDIATE = "immediate", _("as it happens")
        DAILY = "daily", _("daily")
        WEEKLY = "weekly", _("weekly")
        MONTHLY = "monthly", _("monthly")

    # From → to. A reader who comes back goes ended → live only by confirming anew or by undo.
    TRANSITIONS = {
        State.PENDING: frozenset({State.LIVE, State.ENDED}),
        State.LIVE: frozenset({State.ENDED}),
        State.ENDED: frozenset({State.LIVE}),
    }

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="subscriptions"
    )
    newsletter = models.ForeignKey(
        "catalogue.Newsletter", on_delete=models.PROTECT, related_name="subscriptions"
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    ended_reason = models.CharField(max_length=20, choices=EndedReason, blank=True)
    # The ledger entry that lets us mail: set exactly while the subscription is live.
    consent = models.ForeignKey(
        "signup.ConsentEntry", null=True, on_delete=models.PROTECT, related_name="+"
    )
    cadence = models.CharField(max_length=10, choices=Cadence, default=Cadence.WEEKLY)
    weekday = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(6)])
    hour = models.PositiveSmallIntegerField(default=8, validators=[MaxValueValidator(23)])
    # When the pause began, and when it ends or ended: what came out between is owed to nobody.
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    # Brought in from a file, and not told yet where the address came from: nothing goes out
    # before that note was accepted (GDPR Art. 14(3)(b)). A note that never arrives holds for good.
    awaits_note = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Hash of the one-time token behind the goodbye page's undo button, and when it stops.
    undo_hash = models.BinaryField(max_length=32, null=True)
    undo_until = models.DateTimeField(null=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "newsletter"], name="one_subscription"),
            models.CheckConstraint(
                condition=Q(state="live", consent__isnull=False, ended_reason="")
                | Q(state="pending", consent__isnull=True, ended_reason="")
                | (Q(state="ended", consent__isnull=True) & ~Q(ended_reason="")),
                name="live_has_consent_ended_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["newsletter", "state", "subscriber"])]

    def may_become(self, state: str) -> bool:
        return state in self.TRANSITIONS[self.State(self.state)]
