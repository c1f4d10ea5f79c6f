"""Marks that a run claims while a sender gives them back: one waits for the other, in no circle."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from newsletter.sending.digest_marks import give_back, time_anew
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery, DigestMark
from tests.digests import factories
from tests.digests.factories import reader, released
from tests.digests.waiting import somebody_waits
from tests.running.processes import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

READERS = 6


class InAThread(threading.Thread):
    """Does it on a connection of its own, and keeps what went wrong."""

    def __init__(self, what):
        super().__init__(daemon=True)
        self.what = what
        self.fault: BaseException | None = None

    def run(self):
        try:
            self.what()
        except BaseException as fault:
            self.fault = fault
        finally:
            connection.close()


@pytest.fixture
def planned():
    """Readers who have a digest waiting, and are due again: something came out since."""
    newsletter = factories.DigestNewsletterFactory()
    back = factories.ConditionFactory()
    released(back)
    for _ in range(READERS):
        reader(newsletter, back)
    now = timezone.now()
    run_due(now)
    released(back)
    DigestMark.objects.update(next_due_at=now)
    rows = Delivery.objects.order_by("pk")
    rows.update(state="skipped", skip_reason="cancelled")
    return list(rows.values_list("pk", flat=True))


def a_run_later() -> InAThread:
    return InAThread(lambda: run_due(timezone.now() + timedelta(minutes=2)))


def test_a_run_and_a_chunk_that_gives_back_never_wait_for_each_other(planned):
    """The chunk takes the last mark first, and the run is in the middle of the others."""
    run = a_run_later()
    with transaction.atomic():
        give_back(planned[-1:])
        run.start()
        wait_until(somebody_waits, about="the run at that mark")
        give_back(planned[:-1])
    run.join(30)
    assert run.fault is None
    # All of it was given back, so the run planned what the skipped copies held, and the news.
    again = Delivery.objects.exclude(pk__in=planned)
    assert again.count() == READERS
    assert {len(articles) for articles in again.values_list("article_ids", flat=True)} == {2}


def test_a_run_and_readers_who_are_timed_anew_together_never_wait_for_each_other(planned):
    subscriptions = list(DigestMark.objects.order_by("pk").values_list("pk", flat=True))
    run = a_run_later()
    with transaction.atomic():
        time_anew(subscriptions[-2:])
        run.start()
        wait_until(somebody_waits, about="the run at that mark")
        time_anew(subscriptions[:2])
    run.join(30)
    assert run.fault is None
