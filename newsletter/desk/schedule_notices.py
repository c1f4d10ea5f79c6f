"""Whoever scheduled an issue is mailed when it did not go out; the dashboard shows it to all."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.models import Schedule
from newsletter.approval.schedule import untold
from newsletter.desk.people import administrators

log = logging.getLogger(__name__)


def tell() -> int:
    """Mail about each schedule that did not start; return how many were told of.

    Whoever claims the row mails. When the relay takes none of the mails it is given back, and
    the next tick tries again, for a day.
    """
    told = 0
    for schedule in untold():
        mine = Schedule.objects.filter(pk=schedule.pk)
        if not mine.filter(told_at__isnull=True).update(told_at=timezone.now()):
            continue
        people = _people(schedule)
        if people and not any([_mail(address, schedule) for address in people]):
            mine.update(told_at=None)
            continue
        told += 1
    return told


def _people(schedule: Schedule) -> list[str]:
    """The sender; administrators, when the sender has left or has no address."""
    sender = schedule.scheduled_by
    if sender.is_active and sender.email:
        return [sender.email]
    return administrators()


def _mail(address: str, schedule: Schedule) -> bool:
    issue = schedule.approval.issue
    assert issue is not None  # schedules are of issues only
    message = EmailMessage(
        _("It did not go out: %(title)s") % {"title": issue.title},
        render_to_string(
            "desk/mail/not_sent.txt",
            {
                "issue": issue,
                "schedule": schedule,
                "url": settings.BASE_URL + reverse("desk:issue", args=(issue.pk,)),
            },
        ),
        settings.DEFAULT_FROM_EMAIL,
        [address],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        return message.send() == 1
    except (smtplib.SMTPException, OSError) as error:
        log.error("Nobody was told that schedule %s did not start: %s", schedule.pk, error)
        return False
