"""When an approved issue goes out. Who may say so is the desk's question, not this module's."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.models import Schedule
from newsletter.approval.sign_off import standing
from newsletter.editions.models import Issue

# A form filled in at 09:00 for 09:00 arrives a little later; that is not a mistake.
PAST_TOLERANCE = timedelta(minutes=2)
# Further ahead than this, somebody mistyped the year.
FURTHEST = timedelta(days=366)


class NotSchedulable(Exception):
    """Said to staff as it stands: why this issue cannot be scheduled, and what to do."""


def schedule(*, issue: Issue, send_at: datetime, by: AbstractUser) -> Schedule:
    """Plan the approved issue for `send_at` (aware).

    Raises NotSchedulable for a time that is past or absurd, an issue without a valid approval,
    or one that is scheduled already. Raises ValueError for a naive time.
    """
    if timezone.is_naive(send_at):
        raise ValueError("A schedule needs an aware time: which zone did the clock hang in?")
    now = timezone.now()
    if send_at < now - PAST_TOLERANCE:
        raise NotSchedulable(_("That time has passed. Choose one that is still to come."))
    if send_at > now + FURTHEST:
        raise NotSchedulable(_("That is more than a year ahead. Check the year."))
    state = standing(issue)
    if state.approval is None:
        raise NotSchedulable(state.reason)
    with transaction.atomic():
        # Schedules hang on approvals; one issue must not wait under two of them.
        Issue.objects.select_for_update().get(pk=issue.pk)
        if Schedule.objects.open().filter(approval__issue=issue).exists():
            raise NotSchedulable(
                _("It is scheduled already. Cancel that schedule before you set another.")
            )
        try:
            with transaction.atomic():
                return Schedule.objects.create(
                    approval=state.approval, send_at=max(send_at, now), scheduled_by_id=by.pk
                )
        except IntegrityError as error:
            raise NotSchedulable(_("Somebody else has just scheduled it.")) from error


def cancel(*, schedule: Schedule) -> bool:
    """Cancel an open schedule. False when it had started or was cancelled already."""
    return bool(Schedule.objects.open().filter(pk=schedule.pk).update(cancelled_at=timezone.now()))


def due(now: datetime | None = None) -> list[Schedule]:
    """Return the open schedules whose time has come, earliest first."""
    return list(
        Schedule.objects.open()
        .filter(send_at__lte=now or timezone.now())
        .select_related("approval__issue__newsletter", "scheduled_by")
        .order_by("send_at", "pk")
    )


def start(*, schedule: Schedule) -> bool:
    """Mark it started; call inside the transaction that creates the mailing.

    False when it was started or cancelled meanwhile, so that two beats start it once.
    """
    return bool(Schedule.objects.open().filter(pk=schedule.pk).update(started_at=timezone.now()))


def refuse(*, schedule: Schedule, reason: str) -> bool:
    """Take it off the list because it cannot start, and keep why for the staff to read."""
    return bool(
        Schedule.objects.open()
        .filter(pk=schedule.pk)
        .update(cancelled_at=timezone.now(), refusal=reason[:300])
    )
