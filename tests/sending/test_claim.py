"""Claiming: one batch, one worker, whatever arrives twice or late (invariant 3)."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from newsletter.sending import control
from newsletter.sending.chunk import next_chunk
from newsletter.sending.claim import claim
from newsletter.sending.clock import steady
from newsletter.sending.deliver import Ending, deliver, release
from newsletter.sending.errors import LostLease
from newsletter.sending.models import Batch, Delivery
from newsletter.sending.record import record
from newsletter.sending.recover import recover
from newsletter.transports.memory import OK, MemoryTransport
from tests.sending.mailings import (
    assert_balanced,
    claimed,
    copies,
    let_lease_run_out,
    planned,
    sent_to,
)

pytestmark = pytest.mark.django_db


def only_batch(mailing) -> Batch:
    return Batch.objects.get(mailing=mailing)


def test_a_claim_raises_the_epoch_and_takes_a_lease():
    mailing = planned(2)

    taken = claimed(mailing, "somebody")

    batch = only_batch(mailing)
    assert (batch.state, batch.epoch, batch.worker) == (Batch.State.CLAIMED, 1, "somebody")
    assert taken.epoch == 1
    lease = batch.lease_until - timezone.now()
    assert timedelta(seconds=110) < lease <= timedelta(seconds=121)


def test_only_one_of_two_gets_a_batch():
    mailing = planned(2)
    batch = only_batch(mailing)

    assert claim(batch.pk, "first") is not None
    assert claim(batch.pk, "second") is None


def test_an_id_that_arrives_late_or_for_nothing_is_harmless():
    mailing = planned(2)
    taken = claimed(mailing)
    deliver(taken, MemoryTransport())

    assert claim(taken.batch_id, "late") is None
    assert claim(10**9, "lost") is None


@pytest.mark.parametrize("stop", [control.pause, control.cancel])
def test_a_batch_of_a_stopped_mailing_cannot_be_claimed(stop):
    mailing = planned(2)
    stop(mailing=mailing)

    assert claim(only_batch(mailing).pk, "worker") is None


def test_a_batch_cannot_be_claimed_before_its_time():
    mailing = planned(2)
    batches = Batch.objects.filter(mailing=mailing)
    batches.update(not_before=timezone.now() + timedelta(minutes=1))
    assert claim(batches[0].pk, "worker") is None

    batches.update(not_before=timezone.now() - timedelta(minutes=1))
    assert claim(batches[0].pk, "worker") is not None


def test_leases_go_by_the_databases_clock():
    """A worker whose own clock is a year ahead takes nobody's lease away."""
    mailing = planned(2)
    claimed(mailing)

    with time_machine.travel(timezone.now() + timedelta(days=365)):
        assert recover().batches == 0

    assert only_batch(mailing).state == Batch.State.CLAIMED


def test_nobody_takes_a_lease_that_has_not_run_out():
    mailing = planned(2)
    claimed(mailing)

    assert recover().batches == 0
    assert only_batch(mailing).epoch == 1


@pytest.mark.parametrize("act", ["chunk", "record", "finish"])
def test_after_its_lease_was_taken_a_worker_can_write_nothing(act):
    """The zombie: everything it writes says WHERE epoch = mine."""
    mailing = planned(3)
    zombie = claimed(mailing, "zombie")
    rows = next_chunk(zombie, 2, copies(zombie)).rows
    zombie.reached = 0
    let_lease_run_out(zombie)
    recover()
    before = list(Delivery.objects.order_by("pk").values())
    batch = Batch.objects.filter(mailing=mailing).values().get()

    with pytest.raises(LostLease):
        if act == "chunk":
            next_chunk(zombie, 2, copies(zombie))
        elif act == "record":
            record(zombie, [(row, OK) for row in rows])
        else:
            record(zombie, [], finished=True)
    release(zombie)

    assert list(Delivery.objects.order_by("pk").values()) == before
    assert Batch.objects.filter(mailing=mailing).values().get() == batch


def test_a_zombie_whose_batch_was_claimed_anew_sends_nothing():
    mailing = planned(3)
    zombie = claimed(mailing, "zombie")
    let_lease_run_out(zombie)
    recover()
    claimed(mailing, "heir")

    assert deliver(zombie, MemoryTransport()) is Ending.LOST
    assert sent_to() == []
    assert only_batch(mailing).worker == "heir"
    assert_balanced(mailing)


def test_a_worker_that_slept_past_half_its_lease_drops_the_line_before_another_byte():
    """Its lease may not be taken yet, but it cannot know for how long it will stay so."""
    mailing = planned(3)
    taken = claimed(mailing)
    aborted = []

    class Sleepy(MemoryTransport):
        def send(self, outgoing):
            for answer in super().send(outgoing):
                yield answer
                # As if the machine had been asleep between two messages.
                taken.lease.since -= taken.lease.seconds

        def abort(self):
            aborted.append(True)

    assert deliver(taken, Sleepy()) is Ending.RELEASED
    assert len(sent_to()) == 1
    assert aborted
    states = sorted(Delivery.objects.values_list("state", "attempt"))
    assert states == [("accepted", 1), ("queued", 0), ("queued", 0)]
    assert only_batch(mailing).state == Batch.State.READY
    assert_balanced(mailing)


def test_each_chunk_renews_the_lease():
    mailing = planned(3)
    taken = claimed(mailing)
    let_lease_run_out(taken)
    taken.lease.since -= 1000

    next_chunk(taken, 1, copies(taken))

    assert only_batch(mailing).lease_until > timezone.now() + timedelta(seconds=60)
    assert steady() - taken.lease.since < taken.lease.seconds / 2


def test_a_lease_is_counted_from_before_the_statement_that_took_it(monkeypatch):
    """A slow database must not make the worker believe it has longer than it has."""
    from newsletter.sending.models import Batch as Model

    mailing = planned(1)
    queryset = type(Model.objects.all())
    original = queryset.update

    def slow(self, **values):
        changed = original(self, **values)
        time.sleep(0.05)
        return changed

    monkeypatch.setattr(queryset, "update", slow)
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    taken = claimed(mailing)

    assert taken.lease.since - before < 0.05
