"""The feeder: only what the rate allows, in turns, and nothing that a flush could lose."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.sending import feed as feeding
from newsletter.sending import plan
from newsletter.sending.claim import claim_another
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Mailing
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


def test_mailings_take_turns_and_alerts_go_first(small_batches):
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
