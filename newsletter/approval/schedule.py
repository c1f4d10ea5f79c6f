"""When an approved issue goes out. Who may say so is the desk's question, not this module's."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.models import Schedule
from newsletter.approval.sign_off import standing
from newsletter.approval.timing import Window
from newsletter.editions.models import Issue

# A form filled in at 09:00 for 09:00 arrives a little later; that is not a mistake.
PAST_TOLERANCE = timedelta(minutes=2)
# From here on what began late says so on its page.
LATE_FROM = timedelta(minutes=5)
# Further ahead than this, somebody mistyped the year.
FURTHEST = timedelta(days=366)
# Later than this, because nothing was running, it does not start by itself: what was meant for
# Monday morning may be out of place on Wednesday.
TOO_LATE = timedelta(hours=24)


class NotSchedulable(Exception):
    """Said to staff as it stands: why this issue cannot be scheduled, and what to do."""


def schedule(
    *,
    issue: Issue,
    send_at: datetime,
    by: AbstractUser,
    wall: datetime | None = None,
    zone: str = "",
    window: Window | None = None,
    at_once: bool = False,
    instead_of: Schedule | None = None,
) -> Schedule:
    """Plan the approved issue for `send_at` (aware): the first instant at which anything goes.

    `wall` (naive) is what readers' clocks show when it is their turn, if those decide; `zone` the
    sender's own clock; `window` the hours outside which nothing goes; `at_once` says that it was
    to be now, and only leaves a moment for undoing it. `instead_of` is cancelled with it, and
    only if it has not started.

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
    how = Schedule.How.NOW if at_once else Schedule.How.LOCAL if wall else Schedule.How.INSTANT
    with transaction.atomic():
        # Schedules hang on approvals; one issue must not wait under two of them.
        Issue.objects.select_for_update().get(pk=issue.pk)
        if instead_of is not None and not cancel(schedule=instead_of):
            raise NotSchedulable(_("It has begun or was changed meanwhile. Look at it once more."))
        if Schedule.objects.open().filter(approval__issue=issue).exists():
            raise NotSchedulable(
                _("It is scheduled already. Cancel that schedule before you set another.")
            )
        try:
            with transaction.atomic():
                return Schedule.objects.create(
                    approval=state.approval,
                    how=how,
                    send_at=max(send_at, now),
                    local_day=wall.date() if wall else None,
                    local_time=wall.time() if wall else None,
                    zone=zone or timezone.get_current_timezone_name(),
                    opens=window.opens if window else None,
                    closes=window.closes if window else None,
                    by_reader=window is not None and window.by_reader,
                    scheduled_by_id=by.pk,
                    created_at=now,
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


def untold() -> list[Schedule]:
    """Return what did not start and whose sender was not mailed of it yet. Old news is no news."""
    return list(
        Schedule.objects.exclude(refusal="")
        .filter(told_at__isnull=True, cancelled_at__gt=timezone.now() - TOO_LATE)
        .select_related("approval__issue", "scheduled_by")
        .order_by("pk")
    )
