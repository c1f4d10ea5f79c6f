"""That many sign-ups came at once, for staff to see. Holds no address and no network."""

from datetime import datetime
from typing import Self

from django.db import models


class SignUpAlarmQuerySet(models.QuerySet["SignUpAlarm"]):
    def since(self, moment: datetime) -> Self:
        """The attacks that were still going on at `moment` or began later, newest first."""
        return self.filter(until__gte=moment).order_by("-began_at")


class SignUpAlarm(models.Model):
    """One stretch of attack mode (signup.guard.attack_mode)."""

    began_at = models.DateTimeField()
    # When it ends, or ended, by itself.
    until = models.DateTimeField(db_index=True)
    most_in_a_minute = models.PositiveIntegerField()
    suspicious = models.PositiveIntegerField()
    # When administrators were mailed of it, once for the whole stretch.
    told_at = models.DateTimeField(null=True)

    objects = SignUpAlarmQuerySet.as_manager()
