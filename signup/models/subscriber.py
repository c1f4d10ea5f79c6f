"""A reader and what this reader follows."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def locked(self, pk: int) -> "Subscriber":
        """Return the reader under a row lock, inside the caller's transaction.

        Every verb that changes a reader's choices takes this lock first, so that two of them
        never interleave and none waits for another in a circle. It does not hinder a mailing
        that is being planned (FOR NO KEY UPDATE lets foreign keys be checked). SQLite has no
        row locks and needs none: its writers queue at BEGIN IMMEDIATE.
        """
        return self.select_for_update(no_key=True).get(pk=pk)


class Subscriber(models.Model):
    """One address, one person's choices. Never deleted: erasure empties the row."""

    # The address as mail is sent to it. Null once erased, so that counts still balance.
    email = models.EmailField(_("e-mail address"), max_length=254, null=True)  # noqa: DJ001
    # What two spellings of one mailbox share (lower case, IDNA); see signup.address.
    email_key = models.CharField(max_length=254, null=True, unique=True)  # noqa: DJ001
    # Keyed hash of email_key, so that eligibility is one join on Suppression.
    address_hash = models.BinaryField(max_length=33, null=True, db_index=True)
    first_name = models.CharField(_("first name"), max_length=60, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    text_only = models.BooleanField(_("plain text only"), default=False)
    # Subjects may name what this reader follows, where the newsletter allows it too.
    conditions_in_subject = models.BooleanField(
        _("conditions in the subject"), default=False, db_default=False
    )
    # Safety alerts come through a pause too. Off, unless the reader ticked it.
    alerts_while_paused = models.BooleanField(
        _("safety alerts while paused"), default=False, db_default=False
    )
    # The ledger's proof that these two were given and stand; null when not, or withdrawn.
    health_consent = models.ForeignKey(
        "signup.ConsentEntry", null=True, on_delete=models.PROTECT, related_name="+"
    )
    measurement_consent = models.ForeignKey(
        "signup.ConsentEntry", null=True, on_delete=models.PROTECT, related_name="+"
    )
    # When the address was changed: links that were mailed before went to another mailbox.
    address_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(email__isnull=True, email_key__isnull=True, first_name=""),
                name="erased_subscriber_is_empty",
            )
        ]

    def __str__(self) -> str:
        return f"reader {self.pk}"

    def was_mailed_elsewhere(self, at: datetime | None) -> bool:
        """True for a link made `at` a time when mail for this reader went to another address."""
        return self.address_since is not None and at is not None and at < self.address_since

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None


class FollowQuerySet(models.QuerySet["Follow"]):
    def active(self) -> Self:
        return self.filter(paused_at__isnull=True)


class Follow(models.Model):
    """A reader follows a condition. Health data: see invariant 11."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="follows")
    condition = models.ForeignKey(
        "catalogue.Condition", on_delete=models.PROTECT, related_name="follows"
    )
    # Following owes nothing released before: the counter's value when it began or resumed.
    from_seq = models.BigIntegerField(default=0)
    followed_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True)

    objects = FollowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "condition"], name="one_follow")
        ]
