"""Two workers, two beats, a worker that wakes up too late, a flushed broker: nobody gets two."""

import contextlib
import sqlite3
import time

import pytest
from django.db import connection

from newsletter import tasks
from newsletter.sending.balance import counts
from newsletter.sending.models import Batch, Delivery, Mailing
from signup.models import ConsentEntry, Subscription
from signup.unsubscribe import end
from tests.faults.line import (
    Lateness,
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
    copies_by_reader,
)
from tests.running.processes import Running, wait_until

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _short_times(settings):
    from tests.faults import line

    settings.SENDING_LEASE_SECONDS = line.LEASE
    settings.SENDING_UNKNOWN_AFTER_SECONDS = line.UNKNOWN_AFTER


def test_two_workers_and_two_beats_send_everything_once(line: Line, mailing):
    with line.beats(2):
        line.worker()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert set(copies_by_reader(line.relay).values()) == {1}
    workers = {caught.connection for caught in line.relay.messages}
    assert len(workers) >= 2


def freeze_outside_a_transaction(worker: Running) -> None:
    """In the middle of one it would hold SQLite's only lock for as long as it sleeps; what becomes
    of that on PostgreSQL is tests/sending/test_stopped_in_a_transaction.py."""
    while True:
        worker.freeze()
        if connection.vendor != "sqlite" or _may_write():
            return
        worker.thaw()
        time.sleep(0.05)


def _may_write() -> bool:
    """Whether somebody can write to the SQLite database, beats and others waited for."""
    path = connection.settings_dict["NAME"]
    with contextlib.closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
        return True


def test_a_zombie_that_wakes_after_its_lease_was_taken_doubles_nobody(line: Line, mailing):
    line.relay.delay = 0.002
    with line.beats(2):
        zombie = line.worker()
        line.wait_for_sent(100)
        freeze_outside_a_transaction(zombie)
        held = set(Batch.objects.filter(state="claimed").values_list("pk", "epoch"))
        line.worker()
        # The lease is taken: the batch that the zombie held has another epoch then.
        theirs = Batch.objects.filter(pk__in=[pk for pk, _ in held])
        wait_until(
            lambda: held.isdisjoint(theirs.values_list("pk", "epoch")),
            seconds=120,
            about="the lease taken",
        )
        zombie.thaw()
        line.wait_for_end(mailing)
        time.sleep(1.0)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)


def test_flushing_the_broker_in_the_middle_loses_and_doubles_nobody(line: Line, mailing, valkey):
    line.relay.delay = 0.001
    with line.beats():
        line.worker()
        line.wait_for_sent(200)
        valkey.flushall()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert set(copies_by_reader(line.relay).values()) == {1}


def test_every_task_run_twice_does_its_work_once(line: Line, settings, smtp_catcher):
    """Without a worker: each task by hand, twice, in every order that a broker might choose."""
    settings.EMAIL_URL = smtp_catcher.url
    mailing = line.plan(readers=50)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.PLANNING)
    for _ in range(2):
        tasks.plan_issue(mailing.pk)
    for _ in range(2):
        tasks.feed()
    batches = list(Batch.objects.filter(mailing=mailing).values_list("pk", flat=True))
    for batch in [*batches, *batches]:
        tasks.deliver_batch(batch)
    for _ in range(2):
        tasks.recover()
        tasks.start_scheduled()

    mailing.refresh_from_db()
    assert_nobody_lost(line.relay, mailing)
    assert set(copies_by_reader(line.relay).values()) == {1}


def test_who_unsubscribes_in_the_middle_gets_nothing_after_a_second(line: Line, mailing):
    """Invariant 4, with a worker at full speed in another process."""
    line.relay.delay = 0.001
    last = list(
        Delivery.objects.filter(mailing=mailing)
        .order_by("-batch", "-place")
        .values_list("subscriber", flat=True)[:60]
    )
    with line.beats():
        line.worker()
        line.wait_for_sent(100)
        answered: dict[str, float] = {}
        with Lateness() as late:
            leaving = Subscription.objects.filter(subscriber__in=last)
            for subscription in leaving.select_related("subscriber"):
                end(
                    subscription=subscription,
                    reason=Subscription.EndedReason.ONE_CLICK,
                    method=ConsentEntry.Method.ONE_CLICK,
                )
                answered[subscription.subscriber.email] = time.monotonic()
            line.wait_for_end(mailing)

    after = {
        mail.recipient: mail.begun - answered[mail.recipient]
        for mail in line.relay.messages
        if mail.recipient in answered
    }
    assert len(after) < len(last), "the mailing was over before anybody could leave"
    allowed = 1.0 + line.relay.delay + 2 * late.longest
    assert not [seconds for seconds in after.values() if seconds > allowed]
    assert counts(mailing).skipped == len(last) - len(after)
    assert counts(mailing).open == 0
