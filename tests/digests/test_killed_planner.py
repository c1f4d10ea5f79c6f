"""kill -9 of a real planning process, in the middle of a slice: the next run completes its plan."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from newsletter.sending import digest_run
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from tests.conftest import database_url
from tests.digests import factories
from tests.digests.factories import reader, released
from tests.digests.waiting import somebody_waits
from tests.running.processes import ROOT, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

READERS, SLICE = 24, 5
# The command itself, with slices as small as the test's.
PLANNER = f"""
import django
django.setup()
from newsletter.sending import digest_slice
digest_slice.SLICE = {SLICE}
from django.core.management import call_command
call_command("run_digests")
"""


@pytest.fixture
def subscriptions():
    newsletter = factories.DigestNewsletterFactory()
    back = factories.ConditionFactory()
    released(back)
    found = [reader(newsletter, back) for _ in range(READERS)]
    DigestMark.objects.bulk_create(
        DigestMark(subscription=one, next_due_at=timezone.now() - timedelta(minutes=1))
        for one in found
    )
    return [one.pk for one in found]


def kill_a_planner_at(mark: int) -> None:
    """Let a process plan until it waits for this reader's mark, and kill it there."""
    with transaction.atomic():
        DigestMark.objects.select_for_update().get(pk=mark)
        planner = subprocess.Popen(
            [sys.executable, "-c", PLANNER],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DJANGO_SETTINGS_MODULE": "project.settings",
            },
        )
        try:
            wait_until(somebody_waits, seconds=60, about="the planner at that mark")
        finally:
            planner.kill()
            planner.wait(10)
    wait_until(lambda: not somebody_waits(), about="its session is gone")


def test_who_was_planned_stays_planned_and_the_others_follow_once(subscriptions):
    # In the third slice: two are committed. Then in the first that is left.
    kill_a_planner_at(subscriptions[2 * SLICE + 1])
    mailing = Mailing.objects.get()
    assert mailing.state == Mailing.State.PLANNING
    assert Delivery.objects.count() == 2 * SLICE
    kill_a_planner_at(subscriptions[2 * SLICE])
    assert Delivery.objects.count() == 2 * SLICE

    digest_run.run_due(timezone.now() + timedelta(minutes=1))

    assert Mailing.objects.get().state == Mailing.State.SENDING
    assert Delivery.objects.filter(mailing=mailing).count() == READERS
    assert not DigestMark.objects.filter(first_sent_at=None).exists()
    for batch in Batch.objects.all():
        assert batch.planned == batch.deliveries.count()
