"""The way of an issue: written, reviewed, sent, each by somebody else."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from wagtail.models import TaskState, WorkflowState

from newsletter import tasks
from newsletter.approval.models import Approval, Frozen, Schedule
from newsletter.approval.sign_off import valid_approval
from newsletter.editions.models import Issue
from newsletter.sending.models import Delivery, Mailing
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import issue_form

ISSUE = "wagtailsnippets_editions_issue"


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def decide(user, issue, action, **data):
    state = issue.current_workflow_task_state or TaskState.objects.latest("pk")
    url = reverse(f"{ISSUE}:workflow_action", args=(issue.pk, action, state.pk))
    way = reverse("desk:issue", args=(issue.pk,))
    return client_of(user).post(url, {"comment": "", "next": way, **data})


@pytest.fixture
def submitted(desk):
    issue = world.issue(desk.newsletter, desk.author)
    issue.get_workflow().start(issue, desk.author)
    return issue


def test_from_the_first_word_to_the_mailing(desk, django_capture_on_commit_callbacks):
    author, sender = client_of(desk.author), client_of(desk.sender)

    author.post(reverse(f"{ISSUE}:add"), issue_form(desk.newsletter))
    issue = Issue.objects.get()
    assert not issue.live

    author.post(
        reverse(f"{ISSUE}:edit", args=(issue.pk,)),
        issue_form(desk.newsletter, subject="A better subject", **{"action-submit": "1"}),
    )
    issue.refresh_from_db()
    assert issue.workflow_in_progress
    submitted = issue.latest_revision

    way = client_of(desk.reviewer).get(reverse("desk:issue", args=(issue.pk,)))
    assert "Nothing stands in its way." in way.content.decode()
    decide(desk.reviewer, issue, "approve", comment="Read and found right.")
    approval = Approval.objects.get()
    issue.refresh_from_db()
    assert approval.revision == submitted
    assert approval.approved_by == desk.reviewer
    assert Frozen.objects.get().approval == approval
    assert WorkflowState.objects.get().status == "approved"
    assert issue.live and issue.live_revision == submitted
    assert issue.subject == "A better subject"

    confirm = sender.get(reverse("desk:send_now", args=(issue.pk,))).content.decode()
    assert "Send to 3 readers?" in confirm
    assert "A better subject" in confirm
    assert "hello@news.example.org" in confirm
    assert not Mailing.objects.exists()

    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        answer = sender.post(reverse("desk:send_now", args=(issue.pk,)), {"approval": approval.pk})
    mailing = Mailing.objects.get()
    assert answer.url == reverse("desk:mailing", args=(mailing.pk,))
    assert (mailing.approval, mailing.requested_by) == (approval, desk.sender)
    assert len(callbacks) == 1

    tasks.plan_issue(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.SENDING
    assert Delivery.objects.filter(mailing=mailing).count() == 3
    assert mailing.editions.get().frozen == Frozen.objects.get()
    assert "3" in sender.get(answer.url).content.decode()


def test_the_author_cannot_approve_what_they_submitted(desk, submitted):
    desk.author.groups.add(*desk.reviewer.groups.all())
    answer = decide(desk.author, submitted, "approve")
    assert answer.status_code == 302
    assert not Approval.objects.exists()
    assert TaskState.objects.get().status == "in_progress"
    page = client_of(desk.author).get(reverse("desk:issue", args=(submitted.pk,)))
    assert "You wrote or submitted this yourself." in page.content.decode()
    assert "Approve</button>" not in page.content.decode()


@pytest.mark.parametrize("role", ["author", "sender", "admin", "protection"])
def test_only_reviewers_decide(desk, submitted, role):
    for action in ("approve", "reject"):
        decide(getattr(desk, role), submitted, action)
    assert not Approval.objects.exists()
    assert TaskState.objects.get().status == "in_progress"


def test_a_refused_approval_says_why_and_changes_nothing(desk):
    issue = world.issue(desk.newsletter, desk.author, subject="READ THIS NOW")
    issue.get_workflow().start(issue, desk.author)
    answer = decide(desk.reviewer, issue, "approve")
    assert "shouts" in said(answer)
    assert answer.url == reverse("desk:issue", args=(issue.pk,))
    assert not Approval.objects.exists()
    assert TaskState.objects.get().status == "in_progress"
    issue.refresh_from_db()
    assert not issue.live


def test_what_changed_after_it_was_submitted_is_not_approved(desk, submitted):
    submitted.get_latest_revision_as_object().save_revision(user=desk.author)
    answer = decide(desk.reviewer, submitted, "approve")
    assert "changed after" in said(answer)
    assert not Approval.objects.exists()


def test_asking_for_changes_goes_back_to_the_author_with_the_comment(desk, submitted):
    decide(desk.reviewer, submitted, "reject", comment="Say how long to rest.")
    page = client_of(desk.author).get(reverse("desk:issue", args=(submitted.pk,)))
    assert "Say how long to rest." in page.content.decode()
    assert WorkflowState.objects.get().status == "needs_changes"

    world.edit(submitted, desk.author, preheader="Rest for a day, then walk a little each day.")
    answer = client_of(desk.author).post(reverse("desk:submit_issue", args=(submitted.pk,)))
    assert "Sent to medical review." in said(answer)
    submitted.refresh_from_db()
    decide(desk.reviewer, submitted, "approve")
    assert valid_approval(submitted)


def test_in_review_nobody_changes_it(desk, submitted):
    desk.reviewer.groups.add(*desk.author.groups.all())
    root = world.staff("root", "Administrators", is_superuser=True)
    url = reverse(f"{ISSUE}:edit", args=(submitted.pk,))
    revisions = submitted.revisions.count()
    for user in (desk.author, desk.reviewer, desk.admin, root):
        client_of(user).post(url, issue_form(desk.newsletter, subject="Slipped in"))
    submitted.refresh_from_db()
    assert submitted.revisions.count() == revisions
    assert submitted.subject != "Slipped in"


def test_the_author_takes_it_back_to_change_it(desk, submitted):
    client = client_of(desk.author)
    client.post(reverse("desk:take_back_issue", args=(submitted.pk,)))
    assert WorkflowState.objects.get().status == "cancelled"
    client.post(
        reverse(f"{ISSUE}:edit", args=(submitted.pk,)),
        issue_form(desk.newsletter, subject="Changed at leisure"),
    )
    assert submitted.revisions.latest("created_at").content["subject"] == "Changed at leisure"


def test_somebody_elses_review_is_not_taken_back(desk, submitted):
    client_of(desk.sender).post(reverse("desk:take_back_issue", args=(submitted.pk,)))
    assert WorkflowState.objects.get().status == "in_progress"


def test_a_draft_with_gaps_is_not_sent_to_review(desk):
    issue = world.issue(desk.newsletter, desk.author)
    draft = issue.get_latest_revision_as_object()
    draft.subject = ""
    draft.save_revision(user=desk.author, clean=False)
    answer = client_of(desk.author).post(reverse("desk:submit_issue", args=(issue.pk,)))
    assert "Subject" in said(answer)
    assert not WorkflowState.objects.exists()


def test_submitting_twice_starts_one_review(desk, submitted):
    client_of(desk.author).post(reverse("desk:submit_issue", args=(submitted.pk,)))
    assert WorkflowState.objects.count() == 1


# --- Sending ---------------------------------------------------------------------------------


@pytest.fixture
def approved(desk):
    issue = world.issue(desk.newsletter, desk.author)
    world.approve(issue, desk.reviewer)
    return issue


def send(desk, issue, **data):
    data = data or {"approval": issue.approvals.standing().get().pk}
    return client_of(desk.sender).post(reverse("desk:send_now", args=(issue.pk,)), data)


def test_an_unapproved_issue_is_not_sent(desk):
    issue = world.issue(desk.newsletter, desk.author)
    answer = send(desk, issue, approval=1)
    assert "not been approved" in said(answer)
    assert not Mailing.objects.exists()


def test_an_issue_published_past_the_workflow_is_not_sent(desk):
    issue = world.issue(desk.newsletter, desk.author)
    issue.latest_revision.publish()
    answer = send(desk, issue, approval=1)
    assert "not been approved" in said(answer)
    assert not Mailing.objects.exists()


def test_an_issue_changed_since_its_approval_is_not_sent(desk, approved):
    world.edit(approved, desk.author, subject="Changed afterwards")
    answer = send(desk, approved)
    assert "changed since" in said(answer)
    assert not Mailing.objects.exists()


def test_a_review_that_fell_due_since_the_approval_stops_the_sending(desk):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    world.approve(issue, desk.reviewer)
    article.review_due = timezone.localdate() - timezone.timedelta(days=1)
    article.save()
    answer = send(desk, issue)
    assert "reviewed again" in said(answer)
    assert not Mailing.objects.exists()


def test_a_confirmation_that_is_out_of_date_sends_nothing(desk, approved):
    stale = approved.approvals.get().pk
    world.edit(approved, desk.author, subject="A newer subject")
    world.approve(approved, desk.reviewer)
    answer = send(desk, approved, approval=stale)
    assert "once more" in said(answer)
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("typed", ["", "x", "-1", "99999999999999999999"])
def test_a_made_up_confirmation_sends_nothing(desk, approved, typed):
    send(desk, approved, approval=typed)
    assert not Mailing.objects.exists()


def test_pressing_twice_makes_one_mailing(desk, approved):
    send(desk, approved)
    answer = send(desk, approved)
    assert Mailing.objects.count() == 1
    assert answer.url == reverse("desk:mailing", args=(Mailing.objects.get().pk,))


def test_a_newsletter_without_readers_is_not_sent(desk, approved):
    desk.newsletter.subscriptions.all().delete()
    answer = send(desk, approved)
    assert "nobody to send to" in said(answer)
    assert not Mailing.objects.exists()


def test_the_confirmation_counts_who_is_left_out(desk, approved):
    world.reader(desk.newsletter, paused_until=timezone.now() + timezone.timedelta(days=9))
    page = client_of(desk.sender).get(reverse("desk:send_now", args=(approved.pk,)))
    text = page.content.decode()
    assert "Send to 3 readers?" in text
    assert "1 subscriber who is paused" in text


def test_a_queue_that_is_down_does_not_lose_the_mailing(desk, approved, monkeypatch):
    from kombu.exceptions import OperationalError

    def down(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.plan_issue, "delay", down)
    answer = send(desk, approved)
    assert answer.status_code == 302
    assert Mailing.objects.get().state == Mailing.State.PLANNING


# --- Scheduling ------------------------------------------------------------------------------


def schedule(desk, issue, send_at):
    return client_of(desk.sender).post(
        reverse("desk:schedule", args=(issue.pk,)), {"send_at": send_at}
    )


def test_a_schedule_is_by_the_clock_of_the_member_of_staff(desk, approved, time_machine):
    from wagtail.users.models import UserProfile

    time_machine.move_to("2026-11-22T12:00:00Z")
    profile = UserProfile.get_for_user(desk.sender)
    profile.current_time_zone = "Europe/Berlin"
    profile.save()

    page = client_of(desk.sender).get(reverse("desk:send_now", args=(approved.pk,)))
    assert "By the clock in Europe/Berlin" in page.content.decode()
    schedule(desk, approved, "2026-11-23T08:00")

    assert Schedule.objects.get().send_at.isoformat() == "2026-11-23T07:00:00+00:00"


def test_an_hour_that_the_clock_skips_is_refused(desk, approved, time_machine):
    from wagtail.users.models import UserProfile

    time_machine.move_to("2027-03-01T12:00:00Z")
    profile = UserProfile.get_for_user(desk.sender)
    profile.current_time_zone = "Europe/Berlin"
    profile.save()
    answer = schedule(desk, approved, "2027-03-28T02:30")
    assert answer.status_code == 422
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("typed", ["", "soon", "2020-01-01T08:00", "2999-01-01T08:00"])
def test_a_wrong_time_is_said_beside_its_field(desk, approved, typed):
    answer = schedule(desk, approved, typed)
    assert answer.status_code == 422
    assert "desk-field__error" in answer.content.decode()
    assert not Schedule.objects.exists()


def test_a_schedule_is_shown_and_can_be_cancelled(desk, approved):
    soon = timezone.now() + timezone.timedelta(days=2)
    schedule(desk, approved, soon.strftime("%Y-%m-%dT%H:%M"))
    way = reverse("desk:issue", args=(approved.pk,))
    assert "Goes out on" in client_of(desk.author).get(way).content.decode()

    client_of(desk.sender).post(reverse("desk:cancel_schedule", args=(approved.pk,)))
    assert not Schedule.objects.open().exists()
    assert "Goes out on" not in client_of(desk.author).get(way).content.decode()


def test_sending_now_sets_the_schedule_aside(desk, approved):
    soon = timezone.now() + timezone.timedelta(days=2)
    schedule(desk, approved, soon.strftime("%Y-%m-%dT%H:%M"))
    send(desk, approved)
    assert Mailing.objects.count() == 1
    assert not Schedule.objects.open().exists()


def test_an_issue_that_was_sent_is_not_scheduled(desk, approved):
    send(desk, approved)
    soon = timezone.now() + timezone.timedelta(days=2)
    answer = schedule(desk, approved, soon.strftime("%Y-%m-%dT%H:%M"))
    assert "already" in said(answer)
    assert not Schedule.objects.open().exists()


def test_looking_changes_nothing(desk, approved):
    for name in ("issue", "send_now"):
        url = reverse(f"desk:{name}", args=(approved.pk,))
        assert client_of(desk.sender).get(url).status_code == 200
        assert client_of(desk.sender).head(url).status_code == 200
    for name in ("schedule", "cancel_schedule", "test_send", "submit_issue", "take_back_issue"):
        url = reverse(f"desk:{name}", args=(approved.pk,))
        assert client_of(desk.sender).get(url).status_code == 405
    assert not Mailing.objects.exists()
    assert not Schedule.objects.exists()
