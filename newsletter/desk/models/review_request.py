"""Who was asked to review something, and by when. Anybody else who may sign can still do so."""

from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from wagtail.models import WorkflowState

# What was sent to review without a date is due after so long.
USUAL = timedelta(days=7)


class ReviewRequest(models.Model):
    workflow_state = models.OneToOneField(
        WorkflowState, on_delete=models.CASCADE, related_name="review_request"
    )
    # None asks everybody who may sign.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    due_on = models.DateField()

    class Meta:
        default_permissions = ()


def usual_due_date(asked_on: date | None = None) -> date:
    return (asked_on or timezone.localdate()) + USUAL
