"""One run of sending, and what its readers get."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from newsletter.rendering.copies import Stamp
from signup.tokens import newest_version

SALT_BYTES = 16


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


class Mailing(models.Model):
    class Kind(models.TextChoices):
        ISSUE = "issue", _("issue")
        DIGEST = "digest", _("digest")
        CORRECTION = "correction", _("correction")
        ALERT = "alert", _("safety alert")

    class State(models.TextChoices):
        PLANNING = "planning", _("planning")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        ENDED = "ended", _("sent")

    # A plan is invisible until it is complete: no batch of a PLANNING mailing is ever fed.
    TRANSITIONS = {
        State.PLANNING: frozenset({State.SENDING, State.CANCELLED}),
        State.SENDING: frozenset({State.PAUSED, State.CANCELLED, State.ENDED}),
        State.PAUSED: frozenset({State.SENDING, State.CANCELLED}),
        State.CANCELLED: frozenset[str](),
        State.ENDED: frozenset[str](),
    }

    kind = models.CharField(max_length=12, choices=Kind)
    newsletter = models.ForeignKey(
        "catalogue.Newsletter", on_delete=models.PROTECT, related_name="mailings"
    )
    issue = models.ForeignKey(
        "editions.Issue", null=True, on_delete=models.PROTECT, related_name="mailings"
    )
    alert = models.ForeignKey(
        "sending.SafetyAlert", null=True, on_delete=models.PROTECT, related_name="mailings"
    )
    # What makes it one of a kind: "first", for a digest the slot's instant, for a
    # safety alert its number.
    purpose = models.CharField(max_length=60, default="first")
    approval = models.ForeignKey(
        "approval.Approval", null=True, on_delete=models.PROTECT, related_name="mailings"
    )
    # What was chosen: when, by whose clock, between which hours. None: at once.
    schedule = models.ForeignKey(
        "approval.Schedule", null=True, on_delete=models.PROTECT, related_name="mailings"
    )
    state = models.CharField(max_length=10, choices=State, default=State.PLANNING)
    # The Date header of every copy: a copy sent again has the same bytes (invariant 7).
    dated = models.DateTimeField()
    # And so are these two: what its Message-IDs are made from, and which of TOKEN_KEYS signs its
    # links, whatever keys come meanwhile. A mailing older than them has an empty salt.
    salt = models.BinaryField(max_length=SALT_BYTES, default=new_salt)
    token_version = models.PositiveSmallIntegerField(default=newest_version)
    # A digest's frozen cut-off: articles released after it wait for the next run.
    cutoff_seq = models.BigIntegerField(null=True)
    # Where a plan that was interrupted goes on: the last subscriber planned.
    planned_upto = models.BigIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Messages a second, while it had something to send; for the next one's estimate.
    pace = models.FloatField(null=True)
    # Why it stopped by itself, in words for staff (5.7.x: authentication or reputation).
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        permissions = [("send_issue", _("Can send issues to readers"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["planning", "sending", "paused", "cancelled", "ended"]),
                name="mailing_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["issue", "purpose"],
                condition=Q(issue__isnull=False),
                name="one_mailing_per_issue_and_purpose",
            ),
            models.UniqueConstraint(
                fields=["newsletter", "purpose"],
                condition=Q(issue__isnull=True),
                name="one_digest_mailing_per_purpose",
            ),
        ]

    def __str__(self) -> str:
        return f"mailing {self.pk}"

    def may_become(self, state: str) -> bool:
        return state in self.TRANSITIONS[self.State(self.state)]

    @classmethod
    def origins_of(cls, state: State) -> list["Mailing.State"]:
        """Return the states from which a mailing may become `state`."""
        return [origin for origin, targets in cls.TRANSITIONS.items() if state in targets]

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.pk, self.dated, bytes(self.salt), self.token_version)

    @property
    def goes_through_pauses(self) -> bool:
        """True when it goes to paused readers too, who chose that (a safety alert)."""
        return self.kind == self.Kind.ALERT

    @property
    def is_health_data(self) -> bool:
        """True when its copies tell of a reader's health (invariant 11): by their very arrival,
        or by a part that only the followers of a condition get."""
        if self.newsletter.is_digest or self.newsletter.sensitive:
            return True
        return self.issue is not None and self.issue.has_parts_for_followers


class Edition(models.Model):
    """What one set of readers gets. An issue: language × variant. A digest: language × form."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="editions")
    language = models.CharField(max_length=10)
    variant = models.CharField(max_length=20, blank=True)
    frozen = models.ForeignKey(
        "approval.Frozen", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # A digest's shell; an issue's content stands in `frozen`.
    format_version = models.PositiveSmallIntegerField(default=1)
    content = models.BinaryField(default=bytes)
    # What a digest's copies are joined from, kept with its plan (`digest_pieces`), so that a second
    # copy has the first one's bytes. Null: planned by a version that looked it up at sending.
    pieces = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "language", "variant"], name="one_edition_per_variant"
            )
        ]
