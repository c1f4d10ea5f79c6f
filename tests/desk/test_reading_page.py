"""The reviewer's page: read, note, return, approve; deputies, due dates and the weekly mail."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from wagtail.models import TaskState, WorkflowState

from newsletter.approval import preflight
from newsletter.approval.models import Approval, Reason, ReviewNote
from newsletter.desk import weekly_summary
from newsletter.desk.models import Absence, ReviewRequest, ReviewSummary
from newsletter.desk.waiting import waiting_for
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.forms_of import form_of


@pytest.fixture
def issue(desk):
    body = [("rich_text", "<p>Begin with ten minutes.</p>"), ("heading", "More next week")]
    issue = world.issue(desk.newsletter, desk.author, body=body)
    issue.get_workflow().start(issue, desk.author)
    return issue


def page_of(user, issue):
    return client_of(user).get(reverse("desk:read_issue", args=(issue.pk,)))


def post(user, issue, decision, **data):
    issue.refresh_from_db()
    state = issue.current_workflow_task_state or TaskState.objects.latest("pk")
    return client_of(user).post(
        reverse("desk:read_issue", args=(issue.pk,)),
        {"state": state.pk, "decision": decision, **data},
    )


def edited(issue, by, **changes):
    issue.refresh_from_db()
    world.edit(issue, by, **changes)
    client_of(by).post(reverse("desk:submit_issue", args=(issue.pk,)))
    issue.refresh_from_db()


def test_it_shows_all_that_a_decision_needs(desk):
    article = world.published_article(desk.author, desk.reviewer, sources="Cochrane 2025\nNICE")
    issue = world.issue(desk.newsletter, desk.author, body=world.body(article))
    issue.get_workflow().start(issue, desk.author)
    page = page_of(desk.reviewer, issue).content.decode()
    assert reverse("desk:preview", args=("issue", issue.pk, "html")) in page
    assert "All of it is new." in page
    assert "Cochrane 2025" in page
    assert "Nothing stands in its way." in page
    assert "Approve</button>" in page and "Return with notes</button>" in page


def test_looking_changes_nothing(desk, issue):
    before = (Approval.objects.count(), TaskState.objects.get().status)
    page_of(desk.reviewer, issue)
    assert (Approval.objects.count(), TaskState.objects.get().status) == before


@pytest.mark.parametrize("role", ["author", "sender", "admin", "protection"])
def test_only_who_may_decide_sees_it(desk, issue, role):
    assert page_of(getattr(desk, role), issue).status_code == 302
    post(getattr(desk, role), issue, "approve")
    post(getattr(desk, role), issue, "return", comment="No.")
    assert not Approval.objects.exists()
    assert TaskState.objects.get().status == "in_progress"


def test_approving_signs_the_very_revision(desk, issue):
    answer = post(desk.reviewer, issue, "approve")
    assert answer.status_code == 302
    approval = Approval.objects.get()
    assert (approval.approved_by, approval.revision) == (desk.reviewer, issue.latest_revision)
    assert WorkflowState.objects.get().status == "approved"


def test_returning_keeps_a_note_for_each_block_and_shows_it_to_the_author(desk, issue):
    first, second = issue.body
    post(
        desk.reviewer,
        issue,
        "return",
        **{f"note-{first.id}": "Say how fast.", f"note-{second.id}": " ", "comment": "Nearly."},
    )
    note = ReviewNote.objects.get()
    assert (note.block, note.note, note.by) == (first.id, "Say how fast.", desk.reviewer)
    assert WorkflowState.objects.get().status == "needs_changes"
    author = client_of(desk.author)
    way = author.get(reverse("desk:issue", args=(issue.pk,))).content.decode()
    assert "Say how fast." in way and f"#block-{first.id}-section" in way
    beside = author.post(
        reverse("desk:check_issue", args=(issue.pk,)), form_of(issue)
    ).content.decode()
    assert "Say how fast." in beside

    edited(issue, desk.author, preheader="A short walk twice a day does more than three in bed.")
    post(desk.reviewer, issue, "approve")
    assert Approval.objects.exists()
    assert not ReviewNote.objects.open().exists()


def test_returning_says_what_to_change(desk, issue):
    answer = post(desk.reviewer, issue, "return")
    assert answer.status_code == 422
    assert "Say what is to be changed" in answer.content.decode()
    assert TaskState.objects.get().status == "in_progress"


def test_notes_are_not_lost_by_pressing_approve(desk, issue):
    answer = post(desk.reviewer, issue, "approve", **{f"note-{issue.body[0].id}": "Say how fast."})
    assert answer.status_code == 422
    assert "Say how fast." in answer.content.decode()
    assert not Approval.objects.exists()


def test_a_decision_on_what_was_taken_back_meanwhile_is_refused(desk, issue):
    state = issue.current_workflow_task_state
    issue.current_workflow_state.cancel(user=desk.author)
    post(desk.reviewer, issue, "approve", state=state.pk)
    assert not Approval.objects.exists()


def test_a_warning_is_answered_on_the_page_and_the_answer_is_kept(desk):
    issue = world.issue(desk.newsletter, desk.author, preheader="Too short")
    issue.get_workflow().start(issue, desk.author)
    (finding,) = preflight.check(issue)
    field = f"reason-{finding.key}"
    assert field in page_of(desk.reviewer, issue).content.decode()
    refused = post(desk.reviewer, issue, "approve")
    assert refused.status_code == 422 and "Say why" in refused.content.decode()
    assert not Approval.objects.exists()
    post(desk.reviewer, issue, "approve", **{field: "Two words say it all."})
    assert Reason.objects.get().reason == "Two words say it all."


def test_a_send_asks_why_a_new_warning_does_not_hold_it_back(desk, issue, monkeypatch):
    post(desk.reviewer, issue, "approve")
    monkeypatch.setattr("newsletter.approval.preflight.reach.joined_suddenly", lambda _: 700)
    sender, url = client_of(desk.sender), reverse("desk:send_now", args=(issue.pk,))
    assert "joined within a week" in sender.get(url).content.decode()
    approval = Approval.objects.get()
    assert sender.post(url, {"approval": approval.pk}).status_code == 422
    assert not issue.mailings.exists()
    issue.refresh_from_db()
    (finding,) = preflight.check(issue.get_latest_revision_as_object())
    sender.post(
        url, {"approval": approval.pk, f"reason-{finding.key}": "They came from the open day."}
    )
    assert issue.mailings.exists()
    assert Reason.objects.get().given_by == desk.sender


# --- Again, and a second person ------------------------------------------------------------------


def test_what_changed_since_ones_own_last_approval_is_marked(desk, issue):
    post(desk.reviewer, issue, "approve")
    edited(issue, desk.author, subject="Five minutes that help your back")
    page = page_of(desk.reviewer, issue).content.decode()
    assert "<del>Ten</del>" in page and "<ins>Five</ins>" in page
    assert "Any second person may approve the rest." in page


def test_a_sender_approves_what_is_not_medical_and_the_record_says_so(desk, issue):
    post(desk.reviewer, issue, "approve")
    edited(issue, desk.author, subject="Five minutes that help your back")
    assert [one.thing for one in waiting_for(desk.sender)] == [issue]
    post(desk.sender, issue, "approve")
    first, second = Approval.objects.order_by("pk")
    assert (second.approved_by, second.rests_on) == (desk.sender, first)
    page = client_of(desk.sender).get(reverse("desk:record", args=(second.pk,))).content.decode()
    assert "As a second person" in page
    assert second.hash_hex in page


def test_a_sender_does_not_approve_what_is_medical(desk, issue):
    post(desk.reviewer, issue, "approve")
    edited(issue, desk.author, body=[("rich_text", "<p>Begin with an hour.</p>")])
    assert waiting_for(desk.sender) == []
    post(desk.sender, issue, "approve")
    assert Approval.objects.count() == 1


def test_the_record_names_people_times_hashes_reasons_and_notes(desk):
    article = world.published_article(desk.author, desk.reviewer)
    issue = world.issue(
        desk.newsletter, desk.author, body=world.body(article), preheader="Too short"
    )
    issue.get_workflow().start(issue, desk.author)
    post(desk.reviewer, issue, "return", comment="", **{f"note-{issue.body[0].id}": "Slower."})
    edited(issue, desk.author, title="Moving in spring, slowly")
    (finding,) = preflight.check(issue.get_latest_revision_as_object())
    post(desk.reviewer, issue, "approve", **{f"reason-{finding.key}": "Short on purpose."})
    approval = issue.approvals.get()
    page = client_of(desk.author).get(reverse("desk:record", args=(approval.pk,))).content.decode()
    for said in (
        "reviewer",
        "Short on purpose.",
        "Slower.",
        approval.hash_hex,
        approval.frozen.get().hash_hex,
        article.title,
        "record-print.css",
    ):
        assert said in page
    nobody = world.staff("guest", "Data protection")
    nobody.groups.clear()
    assert client_of(nobody).get(reverse("desk:record", args=(approval.pk,))).status_code != 200


# --- Asked, due, away ----------------------------------------------------------------------------


@pytest.fixture
def other(desk):
    return world.staff("other", "Medical reviewers")


def test_the_author_asks_one_reviewer_by_a_day(desk, other):
    issue = world.issue(desk.newsletter, desk.author)
    due = timezone.localdate() + timedelta(days=3)
    client_of(desk.author).post(
        reverse("desk:submit_issue", args=(issue.pk,)), {"reviewer": other.pk, "due_on": due}
    )
    request = ReviewRequest.objects.get()
    assert (request.reviewer, request.due_on) == (other, due)
    assert [one.thing for one in waiting_for(other)] == [issue]
    assert waiting_for(desk.reviewer) == []
    # Nobody is locked out by whom the author thought of.
    post(desk.reviewer, issue, "approve")
    assert Approval.objects.exists()


def test_a_day_that_has_passed_starts_no_review(desk):
    issue = world.issue(desk.newsletter, desk.author)
    client_of(desk.author).post(
        reverse("desk:submit_issue", args=(issue.pk,)), {"due_on": "2020-01-01"}
    )
    assert not WorkflowState.objects.exists()


def test_who_was_not_named_is_asked_with_everybody_and_due_in_a_week(desk, issue, other):
    for reviewer in (desk.reviewer, other):
        (one,) = waiting_for(reviewer)
        assert one.due_on == timezone.localdate() + timedelta(days=7)
        assert not one.is_late


def test_a_deputy_gets_what_somebody_away_is_asked_for(desk, issue, other):
    ReviewRequest.objects.create(
        workflow_state=issue.current_workflow_state,
        reviewer=desk.reviewer,
        due_on=timezone.localdate() - timedelta(days=1),
    )
    assert waiting_for(other) == []
    today = timezone.localdate()
    client_of(desk.reviewer).post(
        reverse("desk:absence"), {"deputy": other.pk, "first_day": today, "last_day": today}
    )
    (one,) = waiting_for(other)
    assert one.instead_of == desk.reviewer and one.is_late
    assert [one.thing for one in waiting_for(desk.reviewer)] == [issue]
    Absence.objects.update(first_day=today - timedelta(days=9), last_day=today - timedelta(days=1))
    assert waiting_for(other) == []


@pytest.mark.parametrize(
    "data",
    [
        {"first_day": "2027-03-02", "last_day": "2027-03-01"},
        {"first_day": "2020-03-01", "last_day": "2020-03-02"},
        {"first_day": "", "last_day": "2027-03-01"},
    ],
)
def test_an_absence_that_makes_no_sense_is_refused(desk, other, data):
    answer = client_of(desk.reviewer).post(reverse("desk:absence"), {"deputy": other.pk, **data})
    assert answer.status_code == 422
    assert not Absence.objects.exists()


def test_nobody_stands_in_for_themselves_and_only_reviewers_stand_in(desk):
    for deputy in (desk.reviewer, desk.sender):
        client_of(desk.reviewer).post(
            reverse("desk:absence"),
            {"deputy": deputy.pk, "first_day": "2027-03-01", "last_day": "2027-03-02"},
        )
    assert not Absence.objects.exists()


# --- The weekly mail -----------------------------------------------------------------------------

MONDAY = date(2026, 11, 23)


def at(hour, day=MONDAY, zone="Europe/Madrid"):
    return datetime(day.year, day.month, day.day, hour, 5, tzinfo=ZoneInfo(zone))


@pytest.fixture
def madrid(settings):
    settings.TIME_ZONE = "Europe/Madrid"
    timezone.get_default_timezone.cache_clear()
    yield
    timezone.get_default_timezone.cache_clear()


def test_one_mail_a_week_says_all_that_waits(desk, issue, madrid):
    second = world.issue(desk.newsletter, desk.author, title="Sleep and pain")
    second.get_workflow().start(second, desk.author)
    assert weekly_summary.send_summaries(at(6)) == 0
    assert weekly_summary.send_summaries(at(7)) == 1
    (message,) = mail.outbox
    assert message.to == [desk.reviewer.email]
    assert message.subject == "2 reviews wait for you"
    for thing in (issue, second):
        assert thing.title in message.body
        assert reverse("desk:read_issue", args=(thing.pk,)) in message.body
    assert weekly_summary.send_summaries(at(8)) == 0
    assert weekly_summary.send_summaries(at(8, MONDAY + timedelta(days=3))) == 0
    assert weekly_summary.send_summaries(at(7, MONDAY + timedelta(days=7))) == 1


def test_who_has_nothing_waiting_gets_no_mail(desk, madrid):
    assert weekly_summary.send_summaries(at(7)) == 0
    assert mail.outbox == []
    assert ReviewSummary.objects.filter(user=desk.reviewer, told=0).exists()


def test_it_tells_of_published_articles_that_fall_due(desk, madrid):
    world.published_article(
        desk.author, desk.reviewer, review_due=timezone.localdate() + timedelta(days=10)
    )
    assert weekly_summary.send_summaries(at(7)) == 1
    assert "Walking helps more than resting" in mail.outbox[0].body


def test_a_mail_that_did_not_go_out_is_tried_again(desk, issue, madrid, monkeypatch):
    def closed(self):
        raise OSError("closed")

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", closed)
        assert weekly_summary.send_summaries(at(7)) == 0
    assert weekly_summary.send_summaries(at(8)) == 1


def test_authors_and_those_who_left_get_none(desk, issue, madrid):
    desk.reviewer.is_active = False
    desk.reviewer.save()
    assert weekly_summary.send_summaries(at(7)) == 0
