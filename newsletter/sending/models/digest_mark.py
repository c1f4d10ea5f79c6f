"""How far a digest reader has been shown, and when the next digest is due."""

from django.db import models


class DigestMark(models.Model):
    """One narrow row per digest subscription, never recreated.

    It belongs to the reader, not to the cadence: changing how often never resets it.
    """

    subscription = models.OneToOneField(
        "signup.Subscription", primary_key=True, on_delete=models.CASCADE, related_name="mark"
    )
    # The last release number shown or passed over.
    mark = models.BigIntegerField(default=0)
    # Null while the subscription is not live: no run looks at the row.
    next_due_at = models.DateTimeField(null=True)
    # The run of the first digest, which shows the best of each condition; null until then.
    first_sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_due_at"])]
