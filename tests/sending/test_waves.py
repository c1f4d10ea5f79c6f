"""One mailing in waves, and only between certain hours."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest

from newsletter.approval.models import Schedule
from newsletter.approval.timing import Timing, Window
from newsletter.management import test_mailing
from newsletter.sending import waves
from newsletter.sending.chunk import HOURS_ARE_OVER, next_chunk
from newsletter.sending.claim import claim, claim_another
from newsletter.sending.deliver import Ending, deliver
from newsletter.sending.feed import feed
from newsletter.sending.gather import gather
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.plan import plan_issue, resume
from newsletter.transports.memory import MemoryTransport
from signup.models import Subscriber
from tests.sending.mailings import assert_balanced, copies, sent_to, with_readers

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
ZONES = ("Europe/Berlin", "Pacific/Honolulu", "UTC", "Asia/Tokyo", "Europe/Paris")


@pytest.fixture
def approved(time_machine):
    """An approved issue with five readers: in Berlin, Honolulu, Tokyo, Paris, and one untold."""
    time_machine.move_to(NOW)
    newsletter = with_readers(len(ZONES))
    for reader, zone in zip(Subscriber.objects.order_by("pk"), ZONES, strict=True):
        Subscriber.objects.filter(pk=reader.pk).update(timezone=zone)
    return test_mailing.make_approved_issue(newsletter)


def scheduled(approved, *, local=None, window=None, send_at=NOW):
    _issue, approval = approved
    return Schedule.objects.create(
        approval=approval,
        how="local" if local else "instant",
        send_at=send_at,
        created_at=NOW,
        local_day=local.date() if local else None,
        local_time=local.time() if local else None,
        zone="Europe/Berlin",
        opens=window.opens if window else None,
        closes=window.closes if window else None,
        by_reader=bool(window and window.by_reader),
        scheduled_by=approval.approved_by,
    )


def plan(approved, **timing):
    issue, approval = approved
    made = scheduled(approved, **timing)
    return plan_issue(issue=issue, approval=approval, by=None, schedule=made)


LOCAL = datetime(2026, 11, 23, 8)


def test_readers_get_it_when_their_own_clock_shows_the_time(approved, time_machine):
    mailing = resume(plan(approved, local=LOCAL))
    assert mailing.state == Mailing.State.SENDING
    turns = {batch.not_before: batch.planned for batch in Batch.objects.filter(mailing=mailing)}
    assert turns == {
        datetime(2026, 11, 22, 23, tzinfo=UTC): 1,  # Tokyo
        datetime(2026, 11, 23, 7, tzinfo=UTC): 3,  # Berlin, Paris, and who told no zone
        datetime(2026, 11, 23, 18, tzinfo=UTC): 1,  # Honolulu
    }
    fed = [len(feed())]
    for hour in (2, 10, 21):
        time_machine.move_to(NOW + timedelta(hours=hour))
        fed.append(len(feed()))
    # Nobody takes them here, so those that were fed are fed again.
    assert fed == [0, 1, 2, 3]


def test_waves_are_one_mailing_and_nobody_gets_two(approved, time_machine):
    mailing = resume(plan(approved, local=LOCAL))
    assert mailing.deliveries.count() == len(ZONES)
    assert [wave.complete for wave in mailing.waves.all()] == [True] * 4
    assert mailing.waves.last().zones == [], "whoever is left"


def test_who_moves_while_it_is_planned_gets_one_copy_all_the_same(approved, monkeypatch):
    mailing = plan(approved, local=LOCAL)
    first = Subscriber.objects.get(timezone="Asia/Tokyo")
    last = Subscriber.objects.get(timezone="Pacific/Honolulu")
    from newsletter.sending import plan as planning

    whole = planning._plan_wave

    def and_then_they_move(*args):
        done = whole(*args)
        if mailing.deliveries.filter(subscriber=first).exists():
            Subscriber.objects.filter(pk=first.pk).update(timezone="Pacific/Honolulu")
            Subscriber.objects.filter(pk=last.pk).update(timezone="Asia/Tokyo")
        return done

    monkeypatch.setattr(planning, "_plan_wave", and_then_they_move)
    resume(mailing)
    assert mailing.deliveries.count() == len(ZONES)
    assert mailing.deliveries.get(subscriber=last).batch.wave == mailing.waves.last()


def test_a_plan_in_waves_that_was_interrupted_goes_on(approved, monkeypatch):
    from newsletter.sending import plan as planning

    monkeypatch.setattr(planning, "BATCH", 1)
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    mailing = plan(approved, local=LOCAL)
    editions = list(mailing.editions.all())
    wave = mailing.waves.filter(complete=False).first()
    assert planning._plan_wave(mailing, editions, wave)
    assert not planning._plan_wave(mailing, editions, wave), "somebody else is further already"
    resume(mailing)
    assert mailing.deliveries.count() == len(ZONES)
    assert Batch.objects.filter(mailing=mailing).count() == len(ZONES)
    assert_balanced(mailing)


def test_a_mailing_that_was_cancelled_while_it_was_planned_is_not_opened(approved):
    from newsletter.sending import control

    mailing = plan(approved, local=LOCAL)
    control.cancel(mailing=mailing)
    assert resume(mailing).state == Mailing.State.CANCELLED
    assert not mailing.deliveries.exists()


# --- Hours -----------------------------------------------------------------------------------


def test_outside_its_hours_nothing_is_handed_to_the_workers(approved, time_machine):
    mailing = resume(plan(approved, window=Window(8, 20)))
    assert feed() == []
    time_machine.move_to(datetime(2026, 11, 23, 7, 0, 1, tzinfo=UTC))
    assert len(feed()) == 1
    time_machine.move_to(datetime(2026, 11, 23, 19, tzinfo=UTC))
    assert feed() == []
    batch = Batch.objects.get(mailing=mailing)
    assert batch.not_before == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert batch.not_after == datetime(2026, 11, 24, 19, tzinfo=UTC)
    time_machine.move_to(datetime(2026, 11, 24, 7, tzinfo=UTC))
    assert feed() == [batch.pk]


def test_each_readers_own_hours(approved, time_machine):
    mailing = resume(plan(approved, window=Window(8, 20, by_reader=True)))
    opens = Counter(
        (wave.begins_at.hour, batch.planned)
        for wave in mailing.waves.all()
        for batch in wave.batches.all()
    )
    # 21:00 UTC is 6:00 in Tokyo, 11:00 in Honolulu and 22:00 in Berlin.
    assert opens == {(23, 1): 1, (21, 1): 1, (7, 3): 1}
    assert len(feed()) == 1


def closing(mailing):
    """The hours of what waits end at this moment, by the database's clock."""
    Batch.objects.filter(mailing=mailing).update(
        not_before=datetime.now(UTC) - timedelta(hours=9),
        not_after=datetime.now(UTC) - timedelta(seconds=1),
    )


@pytest.fixture
def by_the_clock():
    """The database has a clock of its own, which nobody moves."""
    issue, approval = test_mailing.make_approved_issue(with_readers(3))
    made = Schedule.objects.create(
        approval=approval,
        send_at=datetime.now(UTC),
        opens=0,
        closes=24,
        scheduled_by=approval.approved_by,
    )
    return resume(plan_issue(issue=issue, approval=approval, by=None, schedule=made))


def test_no_worker_takes_what_is_outside_its_hours(by_the_clock):
    closing(by_the_clock)
    batch = Batch.objects.get(mailing=by_the_clock)
    assert claim(batch.pk, "worker") is None
    assert claim_another(by_the_clock, "worker") is None


def test_a_worker_lets_go_when_the_hours_end_and_nothing_is_lost(by_the_clock):
    Batch.objects.filter(mailing=by_the_clock).update(not_before=None, not_after=None)
    batch = Batch.objects.get(mailing=by_the_clock)
    taken = claim(batch.pk, "worker")
    closing(by_the_clock)
    assert next_chunk(taken, 10, copies(taken)).mailing_state == HOURS_ARE_OVER
    assert deliver(taken, MemoryTransport()) is Ending.STOPPED
    batch.refresh_from_db()
    assert batch.state == Batch.State.READY
    assert sent_to() == []
    assert_balanced(by_the_clock)


def test_what_is_tried_again_keeps_to_the_hours_too(approved, time_machine):
    mailing = resume(plan(approved, local=LOCAL, window=Window(8, 20, by_reader=True)))
    honolulu = mailing.deliveries.get(subscriber__timezone="Pacific/Honolulu")
    tokyo = mailing.deliveries.get(subscriber__timezone="Asia/Tokyo")
    retry_at = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)  # 20:30 in Tokyo, 1:30 in Honolulu
    Delivery.objects.filter(pk__in=[honolulu.pk, tokyo.pk]).update(retry_at=retry_at)
    Batch.objects.filter(mailing=mailing).update(state="done")

    assert gather(retry_at) == 2

    honolulu.refresh_from_db()
    tokyo.refresh_from_db()
    assert honolulu.batch != tokyo.batch
    assert tokyo.batch.not_before == datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert honolulu.batch.not_before == datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert honolulu.batch.wave.clock == "Pacific/Honolulu"


# --- Arithmetic ------------------------------------------------------------------------------


def test_clocks_that_go_alike_share_a_wave():
    timing = Timing(NOW, "Europe/Berlin", NOW, LOCAL)
    found = waves.turns(
        timing, {"Europe/Berlin": 40, "Europe/Paris": 60, "UTC": 5, "America/New_York": 7}
    )
    assert [(turn.clock, turn.readers) for turn in found] == [
        ("Europe/Paris", 60 + 40 + 5),
        ("America/New_York", 7),
    ]


def test_clocks_that_part_within_the_week_do_not_share_the_hours_of_a_window():
    # Phoenix has no summer time; Denver's begins on 14 March 2027, two days later.
    set_at = datetime(2027, 3, 12, 12, tzinfo=UTC)
    readers = {"America/Denver": 1, "America/Phoenix": 1}
    wall = datetime.combine(set_at.date(), time(10))
    alike = Timing(set_at, "America/Denver", set_at, wall)
    apart = Timing(set_at, "America/Denver", set_at, wall, Window(8, 20, by_reader=True))
    assert len(waves.turns(alike, readers)) == 1
    assert len(waves.turns(apart, readers)) == 2


def test_without_local_times_all_readers_are_one_turn():
    timing = Timing(NOW, "Europe/Berlin", NOW, None, Window(8, 20))
    (turn,) = waves.turns(timing, {"Asia/Tokyo": 3, "UTC": 4})
    assert turn.readers == 7
    assert turn.begins_at == datetime(2026, 11, 23, 7, tzinfo=UTC)
