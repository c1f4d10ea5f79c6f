"""Asking readers anew whether they still want a newsletter."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from signup.models.consent import ConsentText
from signup.models.subscription import Subscription
from signup.models.system_mail import SystemMail


class Renewal(models.Model):
    """One campaign: everybody who was live when it began is asked; who is silent is let go."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("cancelled")

    TRANSITIONS = {
        State.OPEN: frozenset({State.CLOSED, State.CANCELLED}),
        State.CLOSED: frozenset[str](),
        State.CANCELLED: frozenset[str](),
    }

    newsletter = models.ForeignKey(
        "catalogue.Newsletter", on_delete=models.PROTECT, related_name="renewals"
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=300)
    begun_by = models.CharField(max_length=150)
    begun_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Who has been looked at, so that asking goes on where it stopped.
    asked_upto = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter"], condition=Q(state="open"), name="one_open_renewal"
            ),
            models.CheckConstraint(
                condition=Q(answer_by__gt=F("begun_at")), name="renewal_leaves_time"
            ),
        ]

    def may_become(self, state: str) -> bool:
        return state in self.TRANSITIONS[self.State(self.state)]


class RenewalQuestion(models.Model):
    """One reader asked anew, in these words."""

    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="questions")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="+")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    # Gone after 30 days like every system mail; `mailed_at` stays.
    mail = models.OneToOneField(
        SystemMail, null=True, on_delete=models.SET_NULL, related_name="renewal_question"
    )
    mailed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["renewal", "subscription"], name="one_question_per_renewal"
            )
        ]
