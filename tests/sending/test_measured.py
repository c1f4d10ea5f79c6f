"""How fast mailings go is noted while they go, and reckoned with for the next."""

import pytest
from django.utils import timezone

from newsletter.management import test_mailing
from newsletter.sending import measured, plan
from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Mailing
from newsletter.transports.memory import MemoryTransport
from tests.sending.mailings import planned

pytestmark = pytest.mark.django_db


class Watch:
    """A steady clock that goes on when told to."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def watch(monkeypatch, settings):
    settings.SENDING_RATE = 0
    clock = Watch()
    monkeypatch.setattr(measured, "steady", clock)
    monkeypatch.setattr(measured, "_looks", {})
    return clock


@pytest.fixture
def mailing(monkeypatch):
    """It is sending: two batches of three readers, both ready."""
    monkeypatch.setattr(plan, "BATCH", 3)
    mailing = planned(6)
    feed()
    assert Batch.objects.filter(mailing=mailing, state=Batch.State.READY).count() == 2
    return mailing


def send_one_batch(mailing: Mailing) -> None:
    batch = Batch.objects.filter(mailing=mailing, state=Batch.State.READY).first()
    taken = claim(batch.pk, "worker")
    assert taken is not None
    deliver(taken, MemoryTransport())


def pace_of(mailing: Mailing) -> float | None:
    return Mailing.objects.values_list("pace", flat=True).get(pk=mailing.pk)


def test_the_first_look_knows_nothing_and_the_second_the_pace(mailing, watch):
    measured.note()
    assert pace_of(mailing) is None
    send_one_batch(mailing)
    watch.seconds += 6
    measured.note()
    assert pace_of(mailing) == pytest.approx(0.5)


def test_looks_that_are_close_together_count_as_one(mailing, watch):
    measured.note()
    send_one_batch(mailing)
    watch.seconds += measured.APART_SECONDS - 0.1
    measured.note()
    assert pace_of(mailing) is None


def test_a_new_measurement_moves_what_was_known_by_a_part(mailing, watch):
    Mailing.objects.filter(pk=mailing.pk).update(pace=10.5)
    measured.note()
    send_one_batch(mailing)
    watch.seconds += 6
    measured.note()
    assert pace_of(mailing) == pytest.approx(10.5 + 0.3 * (0.5 - 10.5))


def test_standing_still_is_not_a_pace(mailing, watch):
    measured.note()
    watch.seconds += 60
    measured.note()
    assert pace_of(mailing) is None


def test_the_tail_where_workers_have_little_to_do_is_not_measured(mailing, watch):
    send_one_batch(mailing)
    measured.note()
    send_one_batch(mailing)
    watch.seconds += 600
    measured.note()
    assert pace_of(mailing) is None


def test_a_pause_is_not_counted_as_slowness(mailing, watch):
    measured.note()
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.PAUSED)
    watch.seconds += 600
    measured.note()
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.SENDING)
    measured.note()
    send_one_batch(mailing)
    watch.seconds += 6
    measured.note()
    assert pace_of(mailing) == pytest.approx(0.5)


def test_nothing_is_known_before_the_first_mailing():
    assert measured.usual_pace() is None


def test_a_cap_is_reckoned_with_while_nothing_else_is_known(settings):
    settings.SENDING_RATE = 40
    assert measured.usual_pace() == 40


@pytest.mark.parametrize(("cap", "pace"), [(0, 30.0), (100, 30.0), (20, 20)])
def test_the_usual_pace_is_the_last_mailings_median_below_the_cap(settings, cap, pace):
    newsletter = test_mailing.make_newsletter()
    # The oldest is too long ago to count.
    for number, known in enumerate((9000.0, 10.0, 500.0, 30.0, 20.0, 40.0)):
        Mailing.objects.create(
            newsletter=newsletter,
            kind=Mailing.Kind.ISSUE,
            purpose=f"of {number}",
            pace=known,
            dated=timezone.now(),
        )
    settings.SENDING_RATE = cap
    assert measured.usual_pace() == pace
