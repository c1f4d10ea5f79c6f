"""The edge: id → verb, and what two beats may not do twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter import tasks
from newsletter.approval import sign_off
from newsletter.approval.models import Schedule
from newsletter.approval.schedule import schedule
from newsletter.management import test_mailing
from newsletter.sending.models import Batch, Mailing
from newsletter.sending.plan import plan_issue
from project.queues import ROUTES
from signup.models import Subscription
from tests.sending.mailings import planned, sent_to, with_readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def enqueued(monkeypatch):
    """What would have gone to the broker, as (task, id)."""
    found: list[tuple[str, int]] = []
    for task in (tasks.plan_issue, tasks.deliver_batch):
        monkeypatch.setattr(task, "delay", lambda pk, name=task.name: found.append((name, pk)))
        monkeypatch.setattr(
            task, "delay_on_commit", lambda pk, name=task.name: found.append((name, pk))
        )
        monkeypatch.setattr(
            task,
            "apply_async",
            lambda args, name=task.name, **options: found.append((name, *args, options)),
        )
    return found


def scheduled(readers: int = 2) -> Schedule:
    newsletter = with_readers(readers)
    issue, approval = test_mailing.make_approved_issue(newsletter)
    made = schedule(
        issue=issue, send_at=timezone.now() + timedelta(hours=1), by=approval.approved_by
    )
    Schedule.objects.filter(pk=made.pk).update(send_at=timezone.now() - timedelta(minutes=1))
    return made


def test_an_issue_starts_when_its_time_has_come_and_only_once(enqueued):
    scheduled()

    tasks.start_scheduled()
    tasks.start_scheduled()

    mailing = Mailing.objects.get()
    assert enqueued == [("newsletter.tasks.plan_issue", mailing.pk)]
    assert Schedule.objects.get().started_at is not None


def test_an_issue_does_not_start_before_its_time(enqueued):
    made = scheduled()
    Schedule.objects.filter(pk=made.pk).update(send_at=timezone.now() + timedelta(minutes=1))

    tasks.start_scheduled()

    assert not Mailing.objects.exists()
    assert enqueued == []


def test_an_issue_that_changed_since_its_approval_does_not_start_and_says_why(enqueued):
    made = scheduled()
    issue = made.approval.issue
    issue.subject = "Something else"
    issue.save()
    issue.save_revision()

    tasks.start_scheduled()

    made.refresh_from_db()
    assert made.started_at is None
    assert made.cancelled_at is not None
    assert "approved" in made.refusal
    assert not Mailing.objects.exists()
    assert enqueued == []


def test_what_stops_sending_by_hand_stops_a_scheduled_issue_too(enqueued):
    made = scheduled()
    Subscription.objects.all().delete()

    tasks.start_scheduled()

    made.refresh_from_db()
    assert made.started_at is None
    assert "Nobody receives this newsletter" in made.refusal
    assert not Mailing.objects.exists()
    assert enqueued == []


def test_a_schedule_under_a_voided_approval_does_not_start(enqueued):
    made = scheduled()
    sign_off.void(approval=made.approval, reason="An error in the dose.")

    tasks.start_scheduled()

    assert not Mailing.objects.exists()


def test_a_plan_whose_task_was_lost_is_asked_for_again(enqueued):
    newsletter = with_readers(2)
    issue, approval = test_mailing.make_approved_issue(newsletter)
    mailing = plan_issue(issue=issue, approval=approval, by=None)

    tasks.recover()

    assert enqueued == [("newsletter.tasks.plan_issue", mailing.pk)]
    tasks.plan_issue(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.SENDING


def test_the_feeder_hands_on_ids_and_nothing_else(enqueued):
    mailing = planned(2)

    tasks.feed()

    batch = Batch.objects.get(mailing=mailing).pk
    assert enqueued == [("newsletter.tasks.deliver_batch", batch, {"priority": tasks.FIRST})]


def test_a_mailings_first_batch_goes_before_all_that_waits_in_the_queue():
    from project.celery import app

    usual = app.amqp.router.route({}, "newsletter.tasks.deliver_batch")["priority"]
    first = app.amqp.router.route({"priority": tasks.FIRST}, "newsletter.tasks.deliver_batch")
    assert first["priority"] < usual
    others = [task for task, route in ROUTES.items() if route["queue"] == "bulk"]
    assert {app.amqp.router.route({}, task)["priority"] for task in others} == {usual}


def test_ids_of_what_is_gone_are_harmless():
    tasks.plan_issue(10**9)
    tasks.deliver_batch(10**9)


def test_a_way_out_that_is_barred_pauses_the_mailing_and_says_why(settings):
    mailing = planned(2, sensitive=True)
    settings.ESP = "test"

    tasks.deliver_batch(Batch.objects.get().pk)

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert "health" in mailing.trouble
    assert Batch.objects.get().state == Batch.State.READY
    assert sent_to() == []


def test_batches_never_wait_in_the_queue_of_confirmations():
    from project.celery import app

    route = app.amqp.router.route({}, "newsletter.tasks.deliver_batch")
    assert route["queue"].name == "bulk"
    for control in ("feed", "recover", "plan_issue", "start_scheduled"):
        assert app.amqp.router.route({}, f"newsletter.tasks.{control}")["queue"].name == "control"
    prompt = app.amqp.router.route({}, "signup.tasks.send_system_mails")
    assert prompt["queue"].name == "prompt"


def test_every_tick_of_the_beat_is_a_task_that_exists(settings):
    from project.celery import app

    app.loader.import_default_modules()
    names = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert names <= set(app.tasks)
    assert {"newsletter.tasks.feed", "newsletter.tasks.recover"} <= names
