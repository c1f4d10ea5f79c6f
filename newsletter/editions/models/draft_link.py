"""A way for a colleague without an account to read a draft, for some days."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core import signing
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

_SALT = "wellread.draft-link"


class DraftLinkQuerySet(models.QuerySet["DraftLink"]):
    def open(self) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


class DraftLink(models.Model):
    """The link's token is signed and stands nowhere; this row says until when it opens anything."""

    class Lasts(models.IntegerChoices):
        DAY = 1, _("one day")
        WEEK = 7, _("one week")
        MONTH = 30, _("thirty days")

    issue = models.ForeignKey(
        "editions.Issue", null=True, on_delete=models.CASCADE, related_name="draft_links"
    )
    article = models.ForeignKey(
        "editions.Article", null=True, on_delete=models.CASCADE, related_name="draft_links"
    )
    # Whom it is for, so that staff know which to revoke.
    purpose = models.CharField(_("for whom"), max_length=80)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = DraftLinkQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=False, article__isnull=True)
                | Q(issue__isnull=True, article__isnull=False),
                name="draft_link_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.purpose

    @property
    def token(self) -> str:
        return signing.dumps(self.pk, salt=_SALT)

    @property
    def thing(self) -> models.Model:
        """The issue or article, as its newest draft has it."""
        found = self.issue or self.article
        assert found is not None  # the constraint above
        return found

    @classmethod
    def opened_by(cls, token: str) -> "DraftLink | None":
        """Return the link that `token` still opens, or None for any other reason alike."""
        try:
            pk = signing.loads(token, salt=_SALT)
        except signing.BadSignature:
            return None
        return cls.objects.open().select_related("issue", "article").filter(pk=pk).first()

    @staticmethod
    def end_of(days: int) -> datetime:
        return timezone.now() + timedelta(days=days)
