"""When an approved issue is to go out."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from newsletter.approval.models.approval import Approval


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def open(self) -> Self:
        """Neither started nor cancelled."""
        return self.filter(started_at__isnull=True, cancelled_at__isnull=True)


class Schedule(models.Model):
    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="schedules")
    send_at = models.DateTimeField()
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    # Why it did not start, in words for staff: the approval was voided, preflight failed, …
    refusal = models.CharField(max_length=300, blank=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["approval"],
                condition=Q(started_at__isnull=True, cancelled_at__isnull=True),
                name="one_open_schedule",
            )
        ]
