"""Two releases that would commit in the opposite order of their numbers, on real connections.

A sequence hands out 1 and 2 at once; if 2 commits first, a run sees 2, takes it for the cut-off,
and 1 is skipped for every reader. The counter's row lets nobody have 2 before 1 has committed.
"""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from newsletter.catalogue.models import ReleaseCounter
from newsletter.editions.models import Release
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery
from tests.digests import factories
from tests.running.processes import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Releasing(threading.Thread):
    """Somebody who releases an article, and lets the commit wait until told."""

    def __init__(self, article, by):
        super().__init__(daemon=True)
        self.article, self.by = article, by
        self.backend = 0
        self.seq = 0
        self.may_commit = threading.Event()
        self.committed = threading.Event()

    def run(self):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    self.backend = cursor.fetchone()[0]
                seq = ReleaseCounter.take_next()
                Release.objects.create(article=self.article, seq=seq, released_by=self.by)
                self.seq = seq
                assert self.may_commit.wait(30)
            self.committed.set()
        finally:
            connection.close()

    def waits_for_a_lock(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'",
                [self.backend],
            )
            return cursor.fetchone() is not None


def test_a_run_between_two_releases_loses_neither():
    newsletter = factories.DigestNewsletterFactory()
    back = factories.ConditionFactory()
    standing = factories.released(back)
    subscription = factories.reader(newsletter, back, cadence="immediate")
    now = timezone.now() + timedelta(seconds=2)
    run_due(now)
    by = factories.UserFactory()
    slow, quick = (Releasing(factories.ArticleFactory(conditions=[back]), by) for _ in range(2))
    try:
        slow.start()
        wait_until(lambda: slow.seq, about="the first number")
        quick.may_commit.set()
        quick.start()
        wait_until(lambda: quick.backend and quick.waits_for_a_lock(), about="the second waits")
        assert quick.seq == 0

        run_due(now + timedelta(hours=1))

        assert not quick.committed.is_set()
    finally:
        slow.may_commit.set()
        quick.may_commit.set()
        slow.join(30)
        quick.join(30)
    assert (slow.seq, quick.seq) == (2, 3)
    run_due(now + timedelta(hours=2))
    run_due(now + timedelta(hours=3))
    mails = Delivery.objects.filter(subscriber=subscription.subscriber).order_by("pk")
    assert list(mails.values_list("article_ids", flat=True)) == [
        [standing.pk],
        [quick.article.pk, slow.article.pk],
    ]
