"""The dashboard: what goes out next, what waits for me, what went out, what has gone silent."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter.approval import release, schedule
from newsletter.editions.models import Release
from newsletter.sending.models import Batch, Mailing
from signup.models import SignUpAlarm
from tests.desk import world
from tests.desk.conftest import client_of


def home(user):
    return client_of(user).get(reverse("wagtailadmin_home")).content.decode()


@pytest.fixture
def issue(desk):
    return world.issue(desk.newsletter, desk.author, title="Sleep and pain")


def test_a_reviewer_sees_what_they_may_decide(desk, issue):
    issue.get_workflow().start(issue, desk.author)
    page = home(desk.reviewer)
    assert "Waits for your review" in page
    assert reverse("desk:read_issue", args=(issue.pk,)) in page


def test_a_reviewer_does_not_see_their_own_as_waiting_for_them(desk):
    own = world.issue(desk.newsletter, desk.reviewer, title="The reviewer's own")
    own.get_workflow().start(own, desk.author)
    assert "Nothing waits for you." in home(desk.reviewer)


def test_an_author_sees_the_reviewers_answer(desk, issue):
    issue.get_workflow().start(issue, desk.author)
    assert "in review" in home(desk.author)
    issue.current_workflow_task_state.reject(user=desk.reviewer, comment="Name the source.")
    assert "Name the source." in home(desk.author)
    assert "Name the source." not in home(desk.sender)


def test_what_goes_out_next_and_what_is_ready(desk, issue):
    world.approve(issue, desk.reviewer)
    assert "approved, ready for you to send" in home(desk.sender)
    assert "approved, waits for a sender" in home(desk.author)
    planned = schedule.schedule(
        issue=issue, send_at=timezone.now() + timedelta(days=1), by=desk.sender
    )
    page = home(desk.sender)
    assert "ready for you to send" not in page
    assert f"{planned.send_at:%Y, %H:%M}" in page


def test_an_edited_issue_is_not_ready(desk, issue):
    world.approve(issue, desk.reviewer)
    world.edit(issue, desk.author, subject="Changed afterwards")
    assert "Nothing is scheduled or ready." in home(desk.sender)


def test_a_schedule_that_did_not_start_says_why(desk, issue):
    world.approve(issue, desk.reviewer)
    planned = schedule.schedule(
        issue=issue, send_at=timezone.now() + timedelta(days=1), by=desk.sender
    )
    schedule.refuse(schedule=planned, reason="It has changed since.")
    assert "did not go out: It has changed since." in home(desk.sender)


def test_the_last_mailings_with_their_counts(desk, issue):
    mailing = Mailing.objects.create(
        kind="issue", newsletter=desk.newsletter, issue=issue, state="sending", dated=timezone.now()
    )
    Batch.objects.create(mailing=mailing, planned=100, accepted=90, refused=4, unknown=1)
    # Whoever wrote, signed or sends it sees how it goes, and is led to it by the menu.
    for who in (desk.sender, desk.author, desk.reviewer, desk.protection):
        page = " ".join(home(who).split())
        assert "90 of 100 accepted, 4 refused, 1 unknown" in page
        assert '"label": "Mailings"' in page


def test_a_condition_with_nothing_new_for_long_is_silent(desk):
    loud, silent = world.condition("Asthma"), world.condition("Migraine")
    world.condition("Retired", retired_at=timezone.now())
    article = world.published_article(desk.author, desk.reviewer, loud, silent)
    release.release(article=article, by=desk.reviewer)
    assert "Every condition had something new" in home(desk.author)

    Release.objects.update(released_at=timezone.now() - timedelta(days=91))
    page = home(desk.author)
    assert "Asthma" in page and "Migraine" in page
    assert "Retired" not in page


def test_a_condition_that_never_had_anything_is_silent(desk):
    world.condition("Asthma")
    page = home(desk.author)
    assert "Asthma" in page and "nothing yet" in page


def test_the_dashboard_takes_few_statements_however_much_there_is(
    desk, django_assert_max_num_queries
):
    for number in range(12):
        issue = world.issue(desk.newsletter, desk.author, title=f"Issue {number}")
        world.approve(issue, desk.reviewer)
        world.condition(f"Condition {number}")
    client = client_of(desk.sender)
    with django_assert_max_num_queries(40):
        client.get(reverse("wagtailadmin_home"))


def test_an_attack_on_the_sign_up_form_is_shown_for_a_week(desk):
    assert "Attacks on the sign-up form" not in home(desk.author)
    now = timezone.now()
    alarm = SignUpAlarm.objects.create(
        began_at=now, until=now + timedelta(minutes=15), most_in_a_minute=912, suspicious=40
    )
    page = home(desk.author)
    assert "Going on since" in page
    assert "up to 912 sign-ups in a minute" in page
    SignUpAlarm.objects.filter(pk=alarm.pk).update(until=now - timedelta(days=6))
    assert "Going on since" not in home(desk.author)
    assert "912" in home(desk.author)
    SignUpAlarm.objects.filter(pk=alarm.pk).update(until=now - timedelta(days=8))
    assert "Attacks on the sign-up form" not in home(desk.author)
