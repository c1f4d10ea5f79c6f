"""An account that its owner has still to take up, by a link that was mailed."""

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

LASTS = timedelta(days=3)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        return self.filter(accepted_at__isnull=True, expires_at__gt=timezone.now())

    def opened_by(self, token: str) -> "Invitation | None":
        """The open invitation that this link belongs to. Its hash is looked up, so that neither
        the database nor how long the answer took gives a link away."""
        return self.open().select_related("user").filter(token_hash=hash_of(token)).first()


class Invitation(models.Model):
    """One row an account: inviting again takes the place of the last link."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitation"
    )
    token_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.expires_at > timezone.now()


def new_token() -> str:
    """256 random bits. It stands in the mail only; we keep its hash."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
