"""A staff address whose digests are watched: when one does not come, somebody is told."""

from django.db import models


class DigestCanary(models.Model):
    """A member of staff's own digest subscription. It gets digests as any other does."""

    subscription = models.OneToOneField(
        "signup.Subscription", on_delete=models.CASCADE, related_name="canary"
    )
    watched_since = models.DateTimeField(auto_now_add=True)
    # Why it is in alarm, in a word of desk.digests.canary.Trouble; "" while all is well.
    trouble = models.CharField(max_length=20, blank=True)
    alarmed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"canary {self.pk}"
