"""A safety alert: an article that two people sent at once to everyone it concerns."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SafetyAlertQuerySet(models.QuerySet["SafetyAlert"]):
    def open(self) -> Self:
        """Marked, and neither sent nor dropped."""
        return self.filter(sent_at__isnull=True, dropped_at__isnull=True)

    def sent(self) -> Self:
        return self.filter(sent_at__isnull=False)


class SafetyAlert(models.Model):
    """One article, marked as an alert, with the two signatures under which it goes out.

    An article is an alert at most once. What comes after it is a correction (`corrects`), which
    goes to those who had the alert, or is on its way to them.
    """

    class Kind(models.TextChoices):
        RECALL = "recall", _("recall of a medicine or device")
        INTERACTION = "interaction", _("dangerous interaction")
        OTHER = "other", _("other danger")

    article = models.ForeignKey(
        "editions.Article", on_delete=models.PROTECT, related_name="safety_alerts"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    advice = models.CharField(
        _("what to do now"),
        max_length=300,
        help_text=_("One or two sentences. They stand first in the mail."),
    )
    corrects = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="corrections"
    )
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    marked_at = models.DateTimeField(auto_now_add=True)
    # SHA-256 over all forms, as the first signature froze them; null before it.
    content_hash = models.BinaryField(max_length=32, null=True)
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    first_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # The second signature sends it.
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    recalled_at = models.DateTimeField(null=True)
    recalled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recall_reason = models.CharField(max_length=200, blank=True)

    objects = SafetyAlertQuerySet.as_manager()

    class Meta:
        # Written by sending.alert alone; who may is asked by other permissions.
        default_permissions = ()
        permissions = [
            ("mark_alert", _("Can mark an article as a safety alert")),
            ("view_unreached", _("Can see which readers a safety alert did not reach")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["article"],
                condition=Q(sent_at__isnull=False, corrects__isnull=True),
                name="an_article_is_an_alert_once",
            ),
            models.UniqueConstraint(
                fields=["article"],
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True),
                name="one_open_alert_per_article",
            ),
            # Neither signature is the other's, nor that of the person who wrote the advice.
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True)
                | (
                    Q(first_by__isnull=False, second_by__isnull=False)
                    & ~Q(first_by=models.F("second_by"))
                    & ~Q(first_by=models.F("marked_by"))
                    & ~Q(second_by=models.F("marked_by"))
                ),
                name="alert_was_signed_by_two_others",
            ),
        ]

    def __str__(self) -> str:
        return f"safety alert {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.sent_at is None and self.dropped_at is None

    @property
    def is_correction(self) -> bool:
        return self.corrects_id is not None


class AlertForm(models.Model):
    """What one newsletter's readers of one language get, frozen at the first signature."""

    alert = models.ForeignKey(SafetyAlert, on_delete=models.CASCADE, related_name="forms")
    newsletter = models.ForeignKey(
        "catalogue.Newsletter", on_delete=models.PROTECT, related_name="+"
    )
    language = models.CharField(max_length=10)
    format_version = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    content_hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "newsletter", "language"], name="one_alert_form"
            )
        ]
