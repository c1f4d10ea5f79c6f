"""Issues whose time has come become mailings."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.approval import schedule as schedules
from newsletter.approval.models import Schedule
from newsletter.approval.readiness import readiness
from newsletter.sending import plan
from newsletter.sending.errors import NotApproved
from newsletter.sending.models import Mailing

log = logging.getLogger(__name__)


def start_due(now: datetime | None = None) -> list[int]:
    """Start what is due. Returns the mailings whose plan has to be filled; harmless twice.

    One that must not go is taken off the list with the reason; so is one that nothing was running
    for, longer than a day.
    """
    now = now or timezone.now()
    started = []
    for due in schedules.due(now):
        if now - due.send_at > schedules.TOO_LATE:
            _refuse(due, _too_late(due))
            continue
        mailing = start(due)
        if mailing is not None:
            started.append(mailing.pk)
    return started


def start(schedule: Schedule) -> Mailing | None:
    """Make the mailing of this schedule. None when it was started, undone or has to be refused."""
    issue = schedule.approval.issue
    assert issue is not None  # schedules are of issues only
    ready = readiness(issue)
    if ready.approval is None:
        _refuse(schedule, " ".join(ready.refusals))
        return None
    try:
        with transaction.atomic():
            if not schedules.start(schedule=schedule):
                return None
            return plan.plan_issue(
                issue=issue,
                approval=schedule.approval,
                by=schedule.scheduled_by,
                schedule=schedule,
            )
    except NotApproved as error:
        _refuse(schedule, str(error))
        return None


def _too_late(schedule: Schedule) -> str:
    when = date_format(timezone.localtime(schedule.send_at), "DATETIME_FORMAT")
    return _(
        "It was to go out on %(when)s, and nothing was running then. That is more than a day ago, "
        "so it was not sent by itself. Send or schedule it again."
    ) % {"when": when}


def _refuse(schedule: Schedule, reason: str) -> None:
    log.error("Schedule %s did not start: %s", schedule.pk, reason)
    schedules.refuse(schedule=schedule, reason=reason)
