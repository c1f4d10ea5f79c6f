"""Why a warning of preflight did not hold somebody back. Kept with the approval, for good."""

from django.conf import settings
from django.db import models

from newsletter.approval.models.approval import Approval


class Reason(models.Model):
    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="reasons")
    # The finding's own key: the same warning about the same thing (`Finding.key`).
    key = models.CharField(max_length=60)
    # What preflight said that day, word for word.
    message = models.TextField()
    reason = models.CharField(max_length=500)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["approval", "key"], name="one_reason_a_warning")
        ]
