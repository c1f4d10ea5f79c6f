"""One mail a week says what waits. The row is its claim: two ticks send it once."""

from django.conf import settings
from django.db import models


class ReviewSummary(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_summaries"
    )
    # The Monday of the week.
    week = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    # How many things it told of; 0 means that no mail was needed.
    told = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "week"], name="one_review_summary_a_week")
        ]
