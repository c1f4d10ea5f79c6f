"""When an approved issue is to go out."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.approval.models.approval import Approval
from newsletter.approval.timing import Timing, Window


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def open(self) -> Self:
        """Neither started nor cancelled."""
        return self.filter(started_at__isnull=True, cancelled_at__isnull=True)


class Schedule(models.Model):
    class How(models.TextChoices):
        # "Now" leaves a moment in which it can be undone (SENDING_UNDO_SECONDS).
        NOW = "now", _("now")
        INSTANT = "instant", _("at a time")
        LOCAL = "local", _("at each reader's local time")

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="schedules")
    how = models.CharField(max_length=10, choices=How, default=How.INSTANT)
    # The first instant at which anything goes; what starts the issue.
    send_at = models.DateTimeField()
    # What readers' clocks show when it is their turn (LOCAL): a day and a time without a zone.
    local_day = models.DateField(null=True)
    local_time = models.TimeField(null=True)
    # The clock that the sender had before them, by its IANA name.
    zone = models.CharField(max_length=64, default="UTC")
    # Full hours between which alone it goes out, by that clock or by each reader's.
    opens = models.PositiveSmallIntegerField(null=True)
    closes = models.PositiveSmallIntegerField(null=True)
    by_reader = models.BooleanField(default=False)
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    # Why it did not start, in words for staff: the approval was voided, preflight failed, …
    refusal = models.CharField(max_length=300, blank=True)
    # When whoever scheduled it was mailed of that; the dashboard shows it to everybody.
    told_at = models.DateTimeField(null=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["approval"],
                condition=Q(started_at__isnull=True, cancelled_at__isnull=True),
                name="one_open_schedule",
            ),
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True)
                | Q(opens__gte=0, closes__gt=F("opens"), closes__lte=24),
                name="schedule_window_opens_and_closes",
            ),
            models.CheckConstraint(
                condition=Q(how="local", local_day__isnull=False, local_time__isnull=False)
                | (~Q(how="local") & Q(local_day__isnull=True, local_time__isnull=True)),
                name="schedule_has_a_local_time_if_it_goes_by_one",
            ),
        ]

    @property
    def window(self) -> Window | None:
        if self.opens is None or self.closes is None:
            return None
        return Window(self.opens, self.closes, self.by_reader)

    @property
    def wall(self) -> datetime | None:
        """What readers' clocks show when it is their turn."""
        if self.local_day is None or self.local_time is None:
            return None
        return datetime.combine(self.local_day, self.local_time)

    @property
    def timing(self) -> Timing:
        return Timing(self.send_at, self.zone, self.created_at, self.wall, self.window)
