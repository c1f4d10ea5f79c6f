"""When an approved issue goes out."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from newsletter.approval import schedule as schedules
from newsletter.approval.models import Schedule
from tests.desk import world


@pytest.fixture
def issue(desk):
    issue = world.issue(desk.newsletter, desk.author)
    world.approve(issue, desk.reviewer)
    return issue


def _at(**delta):
    return timezone.now() + timedelta(**delta)


def test_it_is_due_when_its_time_has_come_and_not_before(desk, issue):
    planned = schedules.schedule(issue=issue, send_at=_at(hours=2), by=desk.sender)
    assert schedules.due() == []
    assert schedules.due(_at(hours=2, seconds=1)) == [planned]


@pytest.mark.parametrize("late", [timedelta(minutes=3), timedelta(days=400)])
def test_a_past_time_is_refused(desk, issue, late):
    with pytest.raises(schedules.NotSchedulable, match="passed"):
        schedules.schedule(issue=issue, send_at=timezone.now() - late, by=desk.sender)
    assert not Schedule.objects.exists()


def test_a_form_that_took_a_minute_is_not_late(desk, issue):
    planned = schedules.schedule(issue=issue, send_at=_at(seconds=-60), by=desk.sender)
    assert schedules.due() == [planned]


def test_a_mistyped_year_is_refused(desk, issue):
    with pytest.raises(schedules.NotSchedulable, match="Check the year"):
        schedules.schedule(issue=issue, send_at=_at(days=3650), by=desk.sender)
    assert not Schedule.objects.exists()


def test_a_naive_time_is_a_mistake_of_ours(desk, issue):
    with pytest.raises(ValueError, match="aware"):
        schedules.schedule(issue=issue, send_at=datetime(2030, 1, 1), by=desk.sender)


def test_an_unapproved_issue_is_refused(desk):
    draft = world.issue(desk.newsletter, desk.author)
    with pytest.raises(schedules.NotSchedulable, match="not been approved"):
        schedules.schedule(issue=draft, send_at=_at(hours=1), by=desk.sender)
    assert not Schedule.objects.exists()


def test_an_issue_that_changed_since_its_approval_is_refused(desk, issue):
    world.edit(issue, desk.author, subject="Changed afterwards")
    with pytest.raises(schedules.NotSchedulable, match="changed since"):
        schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    assert not Schedule.objects.exists()


def test_an_issue_has_one_open_schedule(desk, issue):
    schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    with pytest.raises(schedules.NotSchedulable, match="already"):
        schedules.schedule(issue=issue, send_at=_at(hours=2), by=desk.sender)
    assert Schedule.objects.count() == 1


def test_after_cancelling_it_can_be_scheduled_again(desk, issue):
    first = schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    assert schedules.cancel(schedule=first)
    assert schedules.due(_at(hours=3)) == []
    second = schedules.schedule(issue=issue, send_at=_at(hours=2), by=desk.sender)
    assert schedules.due(_at(hours=3)) == [second]


def test_it_starts_once_however_many_beats_there_are(desk, issue):
    planned = schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    assert schedules.start(schedule=planned)
    assert not schedules.start(schedule=planned)
    assert not schedules.cancel(schedule=planned)
    assert not schedules.refuse(schedule=planned, reason="late")
    planned.refresh_from_db()
    assert planned.started_at and not planned.cancelled_at and planned.refusal == ""


def test_a_cancelled_schedule_does_not_start(desk, issue):
    planned = schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    schedules.cancel(schedule=planned)
    assert not schedules.start(schedule=planned)


def test_a_refusal_is_kept_for_staff_to_read(desk, issue):
    planned = schedules.schedule(issue=issue, send_at=_at(hours=1), by=desk.sender)
    assert schedules.refuse(schedule=planned, reason="It has changed. " * 50)
    planned.refresh_from_db()
    assert planned.cancelled_at and planned.refusal.startswith("It has changed.")
    assert schedules.due(_at(hours=2)) == []
