"""Who has left the desk, and who looks after the drafts that were theirs."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Departure(models.Model):
    """The account stays, deactivated: approvals and revisions go on naming a person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="departure"
    )
    successor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()


class Handover(models.Model):
    """A draft that was handed on. Who wrote it stays as the revisions say: the successor is no
    author of it, and may review it as long as they have not changed it."""

    issue = models.ForeignKey(
        "editions.Issue", null=True, on_delete=models.CASCADE, related_name="handovers"
    )
    article = models.ForeignKey(
        "editions.Article", null=True, on_delete=models.CASCADE, related_name="handovers"
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts_taken_over"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=False, article__isnull=True)
                | Q(issue__isnull=True, article__isnull=False),
                name="handover_of_one_thing",
            ),
            models.UniqueConstraint(fields=["issue", "to"], name="issue_handed_over_once"),
            models.UniqueConstraint(fields=["article", "to"], name="article_handed_over_once"),
        ]
