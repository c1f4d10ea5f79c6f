"""When an issue goes out: what the form says, what it does, and how it is undone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from newsletter import tasks
from newsletter.approval import schedule as schedules
from newsletter.approval import sign_off
from newsletter.approval.models import Schedule
from newsletter.desk import schedule_notices
from newsletter.desk.send.turns import skipped_by_reason
from newsletter.sending.models import Batch, Mailing
from newsletter.sending.plan import resume
from newsletter.sending.start import start_due
from signup.models import Subscriber, Suppression
from tests.desk import world
from tests.desk.conftest import client_of
from tests.desk.test_issue_way import said

NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)


@pytest.fixture
def approved(desk, time_machine):
    time_machine.move_to(NOW, tick=False)
    for reader, zone in zip(
        Subscriber.objects.order_by("pk"), ["Europe/Berlin", "Pacific/Honolulu", "UTC"], strict=True
    ):
        Subscriber.objects.filter(pk=reader.pk).update(timezone=zone)
    issue = world.issue(desk.newsletter, desk.author)
    world.approve(issue, desk.reviewer)
    return issue


@pytest.fixture
def undo(settings):
    settings.SENDING_UNDO_SECONDS = 60


def press(desk, issue, by=None, **data):
    data = {"approval": issue.approvals.standing().get().pk, **data}
    return client_of(by or desk.sender).post(reverse("desk:send_now", args=(issue.pk,)), data)


def way(desk, issue, by=None):
    client = client_of(by or desk.sender)
    return client.get(reverse("desk:issue", args=(issue.pk,))).content.decode()


def stop(desk, issue):
    return client_of(desk.sender).post(reverse("desk:cancel_schedule", args=(issue.pk,)))


# --- Undo ------------------------------------------------------------------------------------


def test_send_now_waits_a_minute_visibly_and_can_be_undone(desk, approved, undo):
    answer = press(desk, approved)
    assert answer.url == reverse("desk:issue", args=(approved.pk,))
    assert not Mailing.objects.exists()
    assert ">Undo</button>" in way(desk, approved)
    assert ">Undo</button>" not in way(desk, approved, by=desk.author)
    assert start_due(NOW + timedelta(seconds=59)) == []

    assert "Nobody was mailed" in said(stop(desk, approved))
    assert start_due(NOW + timedelta(seconds=61)) == []
    assert not Mailing.objects.exists()
    assert "Send or schedule" in way(desk, approved), "approved as before"


def test_after_the_minute_it_goes_out_and_undo_leads_to_the_levers(desk, approved, undo):
    press(desk, approved)
    (started,) = start_due(NOW + timedelta(seconds=60))
    answer = stop(desk, approved)
    assert answer.url == reverse("desk:mailing", args=(started,))
    assert "It has begun" in said(answer)
    assert Mailing.objects.get().state == Mailing.State.PLANNING


def test_the_page_that_waits_is_told_where_it_goes_on(desk, approved, undo):
    url = reverse("desk:send_waiting", args=(approved.pk,))
    press(desk, approved)
    assert client_of(desk.author).get(url).status_code == 204
    (started,) = start_due(NOW + timedelta(seconds=60))
    told = client_of(desk.author).get(url).content.decode()
    assert told == reverse("desk:mailing", args=(started,))


def test_two_people_press_at_once_and_there_is_one_mailing(desk, approved, undo):
    colleague = world.staff("colleague", "Senders")
    page = client_of(colleague).get(reverse("desk:send_now", args=(approved.pk,)))
    assert page.status_code == 200
    press(desk, approved)
    # The colleague's page was opened before: the second press sets the first aside.
    press(desk, approved, by=colleague)
    assert Schedule.objects.open().count() == 1
    assert len(start_due(NOW + timedelta(seconds=60))) == 1
    assert start_due(NOW + timedelta(seconds=60)) == []
    assert Mailing.objects.count() == 1


# --- Local time and hours --------------------------------------------------------------------


def local(desk, issue, **data):
    return press(desk, issue, how="local", send_at="2026-11-23T08:00", **data)


def test_readers_clocks_decide_and_the_form_says_who_gets_it_when(desk, approved):
    outlook = client_of(desk.sender).get(
        reverse("desk:send_outlook", args=(approved.pk,)),
        {"how": "local", "send_at": "2026-11-23T08:00"},
    )
    words = outlook.content.decode()
    assert "Honolulu" in words and "Berlin" in words
    assert "tomorrow at 07:00" in words, "Berlin's eight by the sender's clock"
    assert not Schedule.objects.exists()

    local(desk, approved)
    planned = Schedule.objects.get()
    assert planned.wall == datetime(2026, 11, 23, 8)
    assert planned.send_at == datetime(2026, 11, 23, 7, tzinfo=UTC), "Berlin is the first"
    assert "By each reader's own clock" in way(desk, approved)

    (started,) = start_due(planned.send_at)
    mailing = resume(Mailing.objects.get(pk=started))
    turns = sorted(Batch.objects.values_list("not_before", "planned"))
    assert turns == [
        (datetime(2026, 11, 23, 7, tzinfo=UTC), 1),
        (datetime(2026, 11, 23, 8, tzinfo=UTC), 1),
        (datetime(2026, 11, 23, 18, tzinfo=UTC), 1),
    ]
    page = client_of(desk.author).get(reverse("desk:mailing", args=(mailing.pk,)))
    assert "Turn by turn" in page.content.decode()
    assert "3 readers wait for their turn." in page.content.decode()


def test_by_readers_clocks_the_hours_are_theirs_too(desk, approved):
    local(desk, approved, hours="on", opens="8", closes="20")
    assert Schedule.objects.get().window.by_reader


def test_hours_by_the_senders_clock(desk, approved):
    press(desk, approved, hours="on", opens="8", closes="20")
    resume(Mailing.objects.get())
    assert Batch.objects.get().not_before == datetime(2026, 11, 23, 8, tzinfo=UTC)
    progress = client_of(desk.sender).get(
        reverse("desk:mailing_panel", args=(Mailing.objects.get().pk,))
    )
    assert "Goes on tomorrow at 08:00" in progress.content.decode()


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ({"how": "instant", "send_at": ""}, "Choose a day and a time."),
        ({"how": "instant", "send_at": "2026-11-22T20:00"}, "That time has passed."),
        ({"how": "local", "send_at": "2026-11-20T08:00"}, "passed on every clock"),
        ({"how": "sometime"}, "not one of the available choices"),
        ({"hours": "on", "opens": "20", "closes": "8"}, "have to end after they begin"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_sent(desk, approved, typed, answer):
    page = press(desk, approved, **typed)
    assert page.status_code == 422
    assert answer in page.content.decode()
    assert not Schedule.objects.exists()
    assert not Mailing.objects.exists()


def test_without_a_script_a_button_shows_what_a_choice_means(desk, approved):
    page = local(desk, approved, look="1")
    assert page.status_code == 200
    assert "Honolulu" in page.content.decode()
    assert not Schedule.objects.exists()


# --- The edges of a schedule -----------------------------------------------------------------


def test_a_schedule_is_changed_in_one_step(desk, approved):
    press(desk, approved, how="instant", send_at="2026-11-24T08:00")
    press(desk, approved, how="instant", send_at="2026-11-25T08:00")
    (stands,) = Schedule.objects.open()
    assert stands.send_at.day == 25
    assert Schedule.objects.count() == 2
    assert start_due(datetime(2026, 11, 24, 9, tzinfo=UTC)) == []


def test_a_schedule_that_has_begun_is_not_changed(desk, approved):
    press(desk, approved, how="instant", send_at="2026-11-24T08:00")
    stands = Schedule.objects.get()
    schedules.start(schedule=stands)
    with pytest.raises(schedules.NotSchedulable, match="begun"):
        schedules.schedule(
            issue=approved, send_at=NOW + timedelta(days=3), by=desk.sender, instead_of=stands
        )
    assert Schedule.objects.count() == 1


def test_what_falls_due_while_nothing_runs_goes_late_and_says_so(desk, approved, time_machine):
    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    time_machine.move_to("2026-11-23T11:30:00Z")
    (started,) = start_due()
    page = client_of(desk.sender).get(reverse("desk:mailing", args=(started,)))
    assert "It was to begin today at 08:00, and nothing was running then." in page.content.decode()


def test_more_than_a_day_late_it_does_not_go_and_the_sender_is_told(desk, approved, time_machine):
    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    time_machine.move_to("2026-11-24T09:00:00Z")
    assert start_due() == []
    assert not Mailing.objects.exists()
    assert "nothing was running then" in Schedule.objects.get().refusal
    assert schedule_notices.tell() == 1
    assert schedule_notices.tell() == 0, "told once"
    (message,) = mail.outbox
    assert message.to == [desk.sender.email]
    assert "more than a day ago" in message.body


def test_an_approval_that_is_taken_back_stops_it_and_the_sender_is_told(desk, approved):
    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    sign_off.void(approval=approved.approvals.get(), reason="An error in the dose.")
    assert start_due(datetime(2026, 11, 23, 8, tzinfo=UTC)) == []
    assert schedule_notices.tell() == 1
    assert "An error in the dose." in mail.outbox[0].body
    assert not Mailing.objects.exists()


def test_when_the_sender_has_left_administrators_are_told(desk, approved):
    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    sign_off.void(approval=approved.approvals.get(), reason="An error in the dose.")
    desk.sender.is_active = False
    desk.sender.save()
    assert schedule_notices.tell() == 1
    assert desk.admin.email in [address for one in mail.outbox for address in one.to]


def test_a_relay_that_is_away_makes_it_be_told_later(desk, approved, monkeypatch):
    from django.core.mail import EmailMessage

    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    sign_off.void(approval=approved.approvals.get(), reason="An error in the dose.")
    with monkeypatch.context() as away:
        away.setattr(EmailMessage, "send", lambda self: (_ for _ in ()).throw(OSError("away")))
        assert schedule_notices.tell() == 0
    assert schedule_notices.tell() == 1


def test_a_clock_that_jumps_back_starts_nothing_twice(desk, approved, time_machine):
    press(desk, approved, how="instant", send_at="2026-11-23T08:00")
    time_machine.move_to("2026-11-23T08:00:01Z")
    assert len(start_due()) == 1
    time_machine.move_to("2026-11-23T07:00:00Z")
    assert start_due() == []
    time_machine.move_to("2026-11-23T08:00:01Z")
    assert start_due() == []
    assert Mailing.objects.count() == 1


def test_the_tick_hands_on_the_plan(desk, approved, undo, time_machine, monkeypatch):
    handed = []
    monkeypatch.setattr(tasks.plan_issue, "delay", handed.append)
    press(desk, approved)
    time_machine.move_to(NOW + timedelta(seconds=61))
    tasks.start_scheduled()
    assert handed == [Mailing.objects.get().pk]


# --- Dry run ---------------------------------------------------------------------------------


def test_a_dry_run_counts_who_and_who_not_before_any_approval(desk):
    draft = world.issue(desk.newsletter, desk.author)
    world.reader(desk.newsletter, paused_until=timezone.now() + timedelta(days=9))
    barred = world.reader(desk.newsletter)
    Subscriber.objects.filter(pk=barred.subscriber_id).update(address_hash=b"\1" * 33)
    Suppression.objects.create(address_hash=b"\1" * 33, reason="complaint")
    world.reader(desk.newsletter, state="pending", consent=None, live_at=None)
    page = client_of(desk.author).get(reverse("desk:issue_dry_run", args=(draft.pk,)))
    text = page.content.decode()
    assert "3 readers would get it" in text
    for label in ("Paused by the reader", "Must not be mailed", "Signed up and never confirmed"):
        assert label in text
    assert "desk-reader" not in text, "nobody is named"
    assert not Mailing.objects.exists()
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("role", ["reviewer", "protection"])
def test_a_dry_run_is_for_those_who_compose_or_send(desk, role):
    draft = world.issue(desk.newsletter, desk.author)
    for name, more in (("issue_dry_run", ()), ("issue_sample", ("with-name", "html"))):
        url = reverse(f"desk:{name}", args=(draft.pk, *more))
        assert client_of(getattr(desk, role)).get(url).status_code in (302, 403)


def test_its_copies_are_those_that_readers_get_with_nobodys_name(desk):
    draft = world.issue(desk.newsletter, desk.author)

    def sample(reader, form):
        url = reverse("desk:issue_sample", args=(draft.pk, reader, form))
        return client_of(desk.sender).get(url)

    assert "Hello Maria," in sample("with-name", "html").content.decode()
    assert "Hello there," in sample("without-name", "text").content.decode()
    assert sample("somebody", "html").status_code == 404


def test_why_readers_were_skipped_is_counted_when_more_are(desk, approved, time_machine):
    press(desk, approved)
    mailing = resume(Mailing.objects.get())
    mailing.deliveries.update(state="skipped", skip_reason="not_live")
    assert skipped_by_reason(mailing, 3) == [("no longer subscribed", 3)]
    assert skipped_by_reason(mailing, 0) == []
