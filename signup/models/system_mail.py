"""Mail that the service itself owes a reader: confirmation, fresh link, notice."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from signup.models.address_change import AddressChange
from signup.models.request import SignUp
from signup.models.subscriber import Subscriber


class SystemMail(models.Model):
    """Kind and ids only: rendered when it is sent, so that no token is ever stored."""

    class Kind(models.TextChoices):
        CONFIRM = "confirm", _("confirm a sign-up")
        ADD = "add", _("add a choice to a live subscription")
        PREFERENCES = "preferences", _("fresh link to the preferences")
        RENEWAL = "renewal", _("question whether a newsletter is still wanted")
        ADDRESS = "address", _("confirm a new address")
        MOVED = "moved", _("note to the address that was left")
        BROUGHT_IN = "brought_in", _("note where an imported address came from")
        RETIRED = "retired", _("note that something you follow has ended")

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        HANDED = "handed", _("handed to the relay")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        EXPIRED = "expired", _("expired before it could be sent")

    # What asks an address for its confirmation: at most one of these a day.
    CONFIRMATIONS = (Kind.CONFIRM, Kind.ADD, Kind.ADDRESS)

    TRANSITIONS = {
        State.QUEUED: frozenset({State.HANDED, State.EXPIRED}),
        State.HANDED: frozenset({State.QUEUED, State.ACCEPTED, State.REFUSED, State.UNKNOWN}),
        State.ACCEPTED: frozenset[str](),
        State.REFUSED: frozenset[str](),
        State.UNKNOWN: frozenset({State.QUEUED, State.ACCEPTED, State.EXPIRED}),
        State.EXPIRED: frozenset[str](),
    }

    kind = models.CharField(max_length=20, choices=Kind)
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="system_mails"
    )
    sign_up = models.ForeignKey(SignUp, null=True, on_delete=models.CASCADE, related_name="+")
    address_change = models.ForeignKey(
        AddressChange, null=True, on_delete=models.CASCADE, related_name="+"
    )
    retirement = models.ForeignKey(
        "signup.Retirement", null=True, on_delete=models.CASCADE, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    # An unknown is sent again at most once (invariant 7).
    resent = models.BooleanField(default=False)
    # Raised by each claim: a worker that lost its lease can no longer write an outcome.
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True)
    reply = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["retry_at"],
                name="system_mail_due",
                condition=models.Q(state__in=["queued", "handed", "unknown"]),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["retirement", "subscriber"],
                condition=models.Q(retirement__isnull=False),
                name="told_once_of_a_retirement",
            )
        ]

    @property
    def is_health_data(self) -> bool:
        """True when it names what its reader follows, so that not every way out may carry it."""
        return self.kind == self.Kind.RETIRED

    @property
    def recipient(self) -> str | None:
        """The one address that this mail goes to; None when there is none any more."""
        if self.address_change is not None:
            change = self.address_change
            return change.email if self.kind == self.Kind.ADDRESS else change.old_email or None
        return self.subscriber.email
