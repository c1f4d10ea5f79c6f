"""Who signed off which rendered content, and that content itself, frozen."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def standing(self) -> Self:
        """Approvals that nobody has taken back. Whether they still fit the content is
        `sign_off.standing`'s to say: only rendering again shows that."""
        return self.filter(voided_at__isnull=True)


class Approval(models.Model):
    """A sign-off of one revision of one issue or article: by a medical reviewer, or, where nothing
    medical changed since one of those, by any second person."""

    issue = models.ForeignKey(
        "editions.Issue", null=True, on_delete=models.PROTECT, related_name="approvals"
    )
    article = models.ForeignKey(
        "editions.Article", null=True, on_delete=models.PROTECT, related_name="approvals"
    )
    revision = models.ForeignKey("wagtailcore.Revision", on_delete=models.PROTECT, related_name="+")
    # SHA-256 over everything in `frozen`, in a fixed order.
    content_hash = models.BinaryField(max_length=32)
    # SHA-256 over what only a doctor may sign (approval.scope); empty in rows from before.
    medical_hash = models.BinaryField(max_length=32, default=b"")
    # The doctor's approval under a second person's: None when this one is a doctor's own.
    rests_on = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="carried"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(auto_now_add=True)
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=200, blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        # Written by sign_off alone, so the usual add, change and delete would mean nothing.
        default_permissions = ()
        permissions = [("approve_issue", _("Can sign off issues and articles medically"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=False, article__isnull=True)
                | Q(issue__isnull=True, article__isnull=False),
                name="approval_of_one_thing",
            )
        ]

    @property
    def hash_hex(self) -> str:
        return bytes(self.content_hash).hex()

    @property
    def medical(self) -> "Approval":
        """The doctor's approval that this one is, or rests on."""
        return self.rests_on or self


class Frozen(models.Model):
    """Rendered content as it was approved: what is sent is this, byte for byte, slots apart."""

    class Form(models.TextChoices):
        MESSAGE = "message", "whole message with slots"
        HTML_FRAGMENT = "html_fragment", "an article's place in a digest, HTML"
        TEXT_FRAGMENT = "text_fragment", "an article's place in a digest, text"

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="frozen")
    language = models.CharField(max_length=10)
    variant = models.CharField(max_length=20, blank=True)
    form = models.CharField(max_length=20, choices=Form)
    format_version = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    content_hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["approval", "language", "variant", "form"], name="one_frozen_form"
            )
        ]

    @property
    def hash_hex(self) -> str:
        return bytes(self.content_hash).hex()
