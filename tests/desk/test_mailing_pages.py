"""What is being sent: plain numbers, and three levers that ask before they act."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from newsletter import tasks
from newsletter.desk import speed
from newsletter.desk.progress import progress_of
from newsletter.desk.stages import stage_of
from newsletter.outcomes.models import Event
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from tests.desk import world
from tests.desk.conftest import client_of
from tests.sending.mailings import planned, run


@pytest.fixture
def mailing(desk):
    issue = world.issue(desk.newsletter, desk.author)
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.ISSUE,
        newsletter=desk.newsletter,
        issue=issue,
        approval=world.approve(issue, desk.reviewer),
        state=Mailing.State.SENDING,
        dated=timezone.now(),
        started_at=timezone.now() - timedelta(seconds=100),
    )
    Batch.objects.create(
        mailing=mailing, planned=1000, accepted=480, refused=12, skipped=5, unknown=3
    )
    return mailing


def text_of(user, name, mailing, **extra):
    return (
        client_of(user).get(reverse(f"desk:{name}", args=(mailing.pk,)), **extra).content.decode()
    )


def test_the_panel_shows_the_numbers_as_they_are(desk, mailing):
    text = text_of(desk.sender, "mailing_panel", mailing)
    for number in ("480", "12", "5", "3", "500"):
        assert f"<dd>{number}</dd>" in text
    assert "500 of 1,000 readers" in text
    assert "50 %" in text
    assert "<html" not in text


def test_the_panel_says_how_many_came_back_after_they_were_accepted(desk, mailing):
    said = "came back after it had been accepted"
    assert said not in text_of(desk.sender, "mailing_panel", mailing)
    Event.objects.create(
        mailing=mailing,
        subscriber=world.reader(desk.newsletter).subscriber,
        kind=Event.Kind.BOUNCED,
        source="return path",
        at=timezone.now(),
    )
    assert f"1 reader&#x27;s mail {said}" in text_of(desk.sender, "mailing_panel", mailing).replace(
        "reader's", "reader&#x27;s"
    )


def test_it_moves_with_the_rows(desk, mailing):
    Batch.objects.update(accepted=980)
    assert "1,000 of 1,000 readers" in text_of(desk.sender, "mailing_panel", mailing)


def test_the_panel_is_never_kept(desk, mailing):
    answer = client_of(desk.sender).get(reverse("desk:mailing_panel", args=(mailing.pk,)))
    assert "no-store" in answer["Cache-Control"]


def test_the_page_without_script_has_the_same_numbers(desk, mailing):
    text = text_of(desk.sender, "mailing", mailing)
    assert "500 of 1,000 readers" in text
    assert "Look again" in text
    assert "progress.js" in text


def test_it_says_how_long_from_the_average_at_first(desk, mailing):
    progress = progress_of(mailing)
    assert progress.rate == pytest.approx(5.0, rel=0.1)
    assert progress.remaining == "About 2 minutes left"


def test_after_a_pause_only_the_last_minute_counts(desk, mailing, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailing.started_at = timezone.now() - timedelta(hours=5)
    mailing.save()
    progress_of(mailing)
    time_machine.shift(timedelta(seconds=10))
    Batch.objects.update(accepted=580)
    assert progress_of(mailing).rate == pytest.approx(10.0)


def test_a_paused_mailing_promises_nothing(desk, mailing):
    Mailing.objects.update(state=Mailing.State.PAUSED, trouble="535 5.7.8 wrong password")
    mailing.refresh_from_db()
    assert progress_of(mailing).remaining == ""
    text = text_of(desk.sender, "mailing_panel", mailing)
    assert "wrong password" in text
    assert "data-desk-moves" not in text
    assert ">Resume<" in text and ">Pause<" not in text


def test_an_ended_mailing_says_so_and_has_no_levers(desk, mailing):
    Batch.objects.update(accepted=980)
    Mailing.objects.update(state=Mailing.State.ENDED, ended_at=timezone.now())
    mailing.refresh_from_db()
    text = text_of(desk.sender, "mailing_panel", mailing)
    assert "Sent" in text
    assert ">Pause<" not in text and ">Cancel<" not in text
    assert progress_of(mailing).rate == pytest.approx(10.0, rel=0.1)


def test_a_hundred_per_cent_means_all(desk, mailing):
    Batch.objects.update(accepted=979)
    assert progress_of(mailing).percent == 99


def test_a_mailing_that_is_being_planned_shows_no_nonsense(desk, mailing):
    Batch.objects.all().delete()
    Mailing.objects.update(state=Mailing.State.PLANNING, started_at=None)
    mailing.refresh_from_db()
    progress = progress_of(mailing)
    assert (progress.percent, progress.rate, progress.left) == (0, None, None)
    assert progress.remaining == "Making the list of readers"


def test_without_the_cache_the_average_is_shown(desk, mailing, monkeypatch):
    import redis

    def down(*args, **kwargs):
        raise redis.ConnectionError

    monkeypatch.setattr(speed.cache, "get", down)
    assert progress_of(mailing).rate == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize(
    ("lever", "before", "after"),
    [
        ("pause", "sending", "paused"),
        ("resume", "paused", "sending"),
        ("cancel", "sending", "cancelled"),
        ("cancel", "paused", "cancelled"),
    ],
)
def test_a_lever_asks_first(desk, mailing, lever, before, after):
    Mailing.objects.update(state=before)
    url = reverse("desk:mailing_lever", args=(mailing.pk, lever))
    client = client_of(desk.sender)
    assert client.get(url).status_code == 200
    assert client.head(url).status_code == 200
    assert Mailing.objects.get().state == before

    client.post(url)
    assert Mailing.objects.get().state == after


def test_it_does_not_ask_for_what_cannot_be_done_any_more(desk, mailing):
    Mailing.objects.update(state="cancelled")
    for lever in ("pause", "resume", "cancel"):
        url = reverse("desk:mailing_lever", args=(mailing.pk, lever))
        answer = client_of(desk.sender).get(url)
        assert answer.headers.get("Location") == reverse("desk:mailing", args=(mailing.pk,))


def test_resuming_feeds_the_workers_at_once(
    desk, mailing, monkeypatch, django_capture_on_commit_callbacks
):
    asked = []
    monkeypatch.setattr(tasks.feed, "delay", lambda: asked.append("feed"))
    Mailing.objects.update(state="paused")
    with django_capture_on_commit_callbacks(execute=True):
        client_of(desk.sender).post(reverse("desk:mailing_lever", args=(mailing.pk, "resume")))
    assert asked == ["feed"]


@pytest.mark.parametrize(
    ("lever", "state"),
    [("pause", "ended"), ("resume", "sending"), ("cancel", "ended"), ("resume", "cancelled")],
)
def test_a_lever_that_does_not_fit_says_so(desk, mailing, lever, state):
    Mailing.objects.update(state=state)
    url = reverse("desk:mailing_lever", args=(mailing.pk, lever))
    answer = client_of(desk.sender).post(url, follow=True)
    assert "cannot become" in answer.content.decode()
    assert Mailing.objects.get().state == state


@pytest.mark.parametrize("role", ["author", "reviewer", "protection"])
def test_only_senders_pull_levers(desk, mailing, role):
    for lever in ("pause", "resume", "cancel"):
        url = reverse("desk:mailing_lever", args=(mailing.pk, lever))
        answer = client_of(getattr(desk, role)).post(url, HTTP_X_REQUESTED_WITH="XMLHttpRequest")
        assert answer.status_code == 403
    assert Mailing.objects.get().state == "sending"


def test_data_protection_looks_and_has_no_levers(desk, mailing):
    text = text_of(desk.protection, "mailing", mailing)
    assert "500 of 1,000 readers" in text
    assert ">Pause<" not in text


def test_the_list_shows_each_mailing_with_its_counts(desk, mailing):
    text = client_of(desk.sender).get(reverse("desk:mailings")).content.decode()
    assert "Moving in spring" in text
    assert "480" in text


def test_no_page_of_a_mailing_names_a_reader(desk, mailing):
    for name in ("mailing", "mailing_panel"):
        assert "@example.org" not in text_of(desk.sender, name, mailing)


def test_a_mailing_that_is_not_there_is_not_found(desk):
    assert client_of(desk.sender).get(reverse("desk:mailing", args=(999,))).status_code == 404


def test_unknowns_that_wait_do_not_make_it_sent_while_others_have_had_no_turn(desk):
    going = planned(4)
    first, *_ = going.deliveries.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="unknown", retry_at=timezone.now())
    Batch.objects.filter(mailing=going).update(unknown=1, accepted=2)
    going.deliveries.exclude(pk=first.pk).filter(
        pk__in=going.deliveries.order_by("pk").values("pk")[1:3]
    ).update(state="accepted")

    progress = progress_of(going)

    assert (progress.counts.open, progress.retrying) == (1, 1)
    assert not progress.is_sent_but_for_retries
    assert progress.stage == "Sending"
    Batch.objects.filter(mailing=going).update(accepted=3)
    assert progress_of(going).stage == "Sent, 1 retrying"


def test_a_mailing_with_nothing_left_but_retries_is_called_sent(desk):
    """It may go on for days, and nobody is to wait for it."""
    going = planned(2)
    answers = iter([Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")])
    run(MemoryTransport(lambda _: next(answers, OK)))

    text = text_of(desk.sender, "mailing_panel", going)

    assert "Sent, 1 retrying" in text
    assert "desk-stage--sent" in text
    assert "Waiting to try again" in text
    Delivery.objects.filter(mailing=going).update(retry_at=None)
    assert "Sent," not in text_of(desk.sender, "mailing_panel", going)


def test_every_list_calls_it_sent_while_only_retries_are_left(desk):
    """For four days, else, everybody would read that it is still being sent."""
    going = planned(2)
    answers = iter([Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")])
    run(MemoryTransport(lambda _: next(answers, OK)))
    client = client_of(desk.sender)

    for url in (reverse("desk:mailings"), reverse("wagtailadmin_home")):
        assert "Sent, 1 retrying" in client.get(url).content.decode()
    assert stage_of(going.issue).label == "Sent, 1 retrying"

    Delivery.objects.filter(mailing=going).update(retry_at=None)
    Batch.objects.filter(mailing=going).update(state="ready")
    for url in (reverse("desk:mailings"), reverse("wagtailadmin_home")):
        assert "retrying" not in client.get(url).content.decode()
    assert stage_of(going.issue).label == "Sending"
