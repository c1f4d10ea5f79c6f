"""Two runs at the same moment, in threads, with real commits."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from newsletter.sending import digest_run, digest_slice
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from tests.digests import factories
from tests.digests.factories import reader, released

READERS = 60

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many_readers(monkeypatch):
    monkeypatch.setattr(digest_slice, "SLICE", 7)
    monkeypatch.setattr(digest_slice, "BATCH", 3)
    newsletter = factories.DigestNewsletterFactory()
    back = factories.ConditionFactory()
    released(back)
    for _ in range(READERS):
        reader(newsletter, back)


def run_in_threads(*moments) -> list[BaseException]:
    faults: list[BaseException] = []
    begin = threading.Barrier(len(moments))

    def go(now):
        try:
            begin.wait()
            digest_run.run_due(now)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(now,)) for now in moments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(minutes=1)])
def test_nobody_gets_two_and_nobody_none(many_readers, apart):
    """The same minute shares one mailing; different minutes each have one of their own."""
    now = timezone.now() + timedelta(seconds=5)
    run_in_threads(now, now, now + apart, now + apart)
    # A run that lost a race for good leaves the rest to the next tick.
    digest_run.run_due(now + timedelta(minutes=2))
    assert Delivery.objects.count() == READERS
    assert Delivery.objects.values("subscriber").distinct().count() == READERS
    assert not DigestMark.objects.filter(first_sent_at=None).exists()
    assert not Mailing.objects.exclude(state=Mailing.State.SENDING).exists()
    for batch in Batch.objects.all():
        assert batch.planned == batch.deliveries.count()


def test_no_run_fails_because_of_another(many_readers):
    now = timezone.now() + timedelta(seconds=5)
    assert run_in_threads(now, now, now, now) == []
