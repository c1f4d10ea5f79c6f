"""The way in for somebody whose phone is lost: codes that work once."""

from django.conf import settings
from django.db import models


class RecoveryCode(models.Model):
    """One code of one account, as a hash. Used codes stay until the next set is made."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    code_hash = models.BinaryField(max_length=32)
    made_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="one_recovery_code")
        ]
