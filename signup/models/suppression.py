"""Addresses that must not be mailed, kept as keyed hashes so that erasure can keep them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Suppression(models.Model):
    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("the address does not work")
        COMPLAINT = "complaint", _("marked as spam")
        REQUEST = "request", _("asked never to be mailed")
        ERASURE = "erasure", _("erased")

    # Key version (1 byte), then HMAC-SHA-256 of the normalised address (32 bytes).
    address_hash = models.BinaryField(max_length=33, unique=True)
    reason = models.CharField(max_length=20, choices=Reason)
    source = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The one confirmation in 30 days that a suppressed address may get (invariant 9). It stands
    # here and not with the reader, because it must outlive an erasure.
    confirmation_at = models.DateTimeField(null=True)
