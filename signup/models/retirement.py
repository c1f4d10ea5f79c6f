"""A condition that can be followed no more, and what its followers are offered instead."""

from django.conf import settings
from django.db import models


class Retirement(models.Model):
    """Once per condition, so that its followers are told once."""

    condition = models.OneToOneField(
        "catalogue.Condition", on_delete=models.PROTECT, related_name="retirement"
    )
    offers = models.ForeignKey(
        "catalogue.Condition", null=True, on_delete=models.PROTECT, related_name="+"
    )
    retired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    retired_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"retirement {self.pk}"
