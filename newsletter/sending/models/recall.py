"""What was taken back after it had gone out, by whom and why."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Recall(models.Model):
    """One issue or one article, taken back. Never changed: what readers are told stands in it."""

    issue = models.OneToOneField(
        "editions.Issue", null=True, on_delete=models.PROTECT, related_name="recall"
    )
    # An article can be mended, published anew, and recalled again.
    article = models.ForeignKey(
        "editions.Article", null=True, on_delete=models.PROTECT, related_name="recalls"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(
        _("why"), max_length=300, help_text=_("Readers see this, without your name.")
    )

    class Meta:
        # Written by sending.recall alone; who may is asked by other permissions.
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=True) ^ Q(article__isnull=True),
                name="recall_is_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"recall {self.pk}"
