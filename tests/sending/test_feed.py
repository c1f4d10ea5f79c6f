"""The feeder: only what the rate allows, in turns, and nothing that a flush could lose."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.sending import control, plan
from newsletter.sending import feed as feeding
from newsletter.sending.claim import claim, claim_another
from newsletter.sending.feed import begin, feed
from newsletter.sending.models import Batch, Mailing, SendingDay, WarmUp
from tests.sending.mailings import claimed, planned

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(plan, "BATCH", 2)


def test_a_fed_batch_is_not_fed_again_until_the_hint_has_expired(small_batches):
    planned(4)

    first = feed(NOW)

    assert len(first) == 2
    assert feed(NOW + timedelta(seconds=5)) == []
    assert feed(NOW + timedelta(seconds=31)) == first


def test_without_a_rate_a_limited_number_of_batches_waits_for_a_worker(small_batches, monkeypatch):
    monkeypatch.setattr(feeding, "MOST", 3)
    mailing = planned(10)

    assert len(feed(NOW)) == 3
    assert feed(NOW) == []
    claimed(mailing)
    assert len(feed(NOW)) == 1


def test_as_many_wait_as_there_are_workers(small_batches):
    mailing = planned(40)

    assert len(feed(NOW)) == feeding.LEAST
    for _ in range(6):
        claimed(mailing)
    assert Batch.objects.filter(fed_at__isnull=False).count() == 0
    assert len(feed(NOW)) == 6


def test_alerts_are_fed_although_the_issues_have_taken_all_places(small_batches, monkeypatch):
    monkeypatch.setattr(feeding, "MOST", 2)
    planned(6)
    assert len(feed(NOW, alerts=False)) == 2
    alert = planned(2)
    Mailing.objects.filter(pk=alert.pk).update(kind=Mailing.Kind.ALERT)

    assert feed(NOW, alerts=False) == []
    fed = feed(NOW, alerts=True)
    assert len(fed) == 2
    assert set(Batch.objects.filter(pk__in=fed).values_list("mailing", flat=True)) == {alert.pk}


def test_a_worker_that_goes_on_takes_what_was_not_fed_to_others(small_batches):
    mailing = planned(6)
    first, *_ = Batch.objects.filter(mailing=mailing).order_by("pk")
    Batch.objects.filter(pk=first.pk).update(fed_at=timezone.now())

    one, two = claim_another(mailing, "worker"), claim_another(mailing, "worker")

    assert first.pk not in {one.batch_id, two.batch_id}
    assert one.epoch == two.epoch == 1
    assert claim_another(mailing, "worker") is None


def test_with_a_rate_only_the_next_seconds_are_fed(settings):
    settings.SENDING_RATE = 100.0
    planned(5)

    (only,) = feed(NOW)

    # Ten seconds at this rate are more than the batch holds, but a batch is counted as full.
    assert feed(NOW) == []
    Batch.objects.filter(pk=only).update(fed_at=None)
    settings.SENDING_RATE = 0.001
    assert feed(NOW) == [only]


def test_mailings_take_turns_and_alerts_go_first(small_batches, monkeypatch):
    monkeypatch.setattr(feeding, "LEAST", feeding.MOST)
    large = planned(6)
    small = planned(6)
    alert = planned(6)
    Mailing.objects.filter(pk=alert.pk).update(kind=Mailing.Kind.ALERT)

    of = dict(Batch.objects.values_list("pk", "mailing"))
    order = [of[batch] for batch in feed(NOW)]

    assert order == [alert.pk] * 3 + [large.pk, small.pk] * 3


def test_a_batch_waits_for_its_time(small_batches):
    planned(2)
    Batch.objects.update(not_before=NOW + timedelta(seconds=30))

    assert feed(NOW) == []
    assert len(feed(NOW + timedelta(seconds=31))) == 1


def test_the_next_place_goes_to_who_has_the_fewest_under_way(small_batches, monkeypatch):
    monkeypatch.setattr(feeding, "MOST", 4)
    large = planned(20)
    assert len(feed(NOW)) == 4
    small = planned(4)
    for batch in Batch.objects.filter(mailing=large, fed_at__isnull=False)[:2]:
        claim(batch.pk, "worker")

    fed = feed(NOW)

    assert set(Batch.objects.filter(pk__in=fed).values_list("mailing", flat=True)) == {small.pk}


def test_who_has_nothing_under_way_gets_a_batch_however_many_of_others_wait(
    small_batches, monkeypatch
):
    monkeypatch.setattr(feeding, "MOST", 2)
    planned(20)
    feed(NOW)
    small = planned(4)
    assert feed(NOW) == []

    first = begin(NOW)

    batches = Batch.objects.filter(mailing=small).order_by("pk")
    assert first == list(batches.values_list("pk", flat=True)[:1])
    assert begin(NOW) == []
    claim(*first, "worker")
    assert begin(NOW) == []


def test_nothing_begins_on_a_day_whose_share_is_sent(small_batches):
    WarmUp.objects.create(name="new", caps="5")
    SendingDay.objects.create(day=timezone.localdate(), taken=5)
    planned(2)

    assert begin() == []


def test_who_is_resumed_does_not_wait_for_ids_that_came_while_it_was_paused(small_batches):
    mailing = planned(4)
    first = feed(NOW)
    control.pause(mailing=mailing)
    assert [claim(batch, "worker") for batch in first] == [None, None]
    control.resume(mailing=mailing)

    assert feed(NOW) == first


def test_a_hint_from_a_clock_that_was_ahead_keeps_no_batch_waiting(small_batches):
    planned(4)
    first = feed(NOW + timedelta(hours=1))

    assert feed(NOW) == first
