"""Whatever a worker leaves lying is taken up, and nothing is lost or called what it is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.sending import control
from newsletter.sending.balance import counts
from newsletter.sending.chunk import next_chunk
from newsletter.sending.deliver import deliver
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.record import prove_late, record
from newsletter.sending.recover import recover
from newsletter.transports import memory
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from tests.sending.mailings import (
    assert_balanced,
    claimed,
    copies,
    let_lease_run_out,
    planned,
    run,
    sent_to,
    states,
)

pytestmark = pytest.mark.django_db

UNKNOWN = Receipt(Outcome.UNKNOWN, None, "4.4.2", "line lost")
LATER = timedelta(minutes=16)


def test_what_was_never_handed_is_queued_and_what_was_handed_is_unknown():
    """Invariant 7: the worker died with a chunk of two on its way."""
    mailing = planned(5)
    taken = claimed(mailing)
    next_chunk(taken, 2, copies(taken))
    let_lease_run_out(taken)

    found = recover()

    assert (found.batches, found.unknown) == (1, 2)
    assert states(mailing) == ["unknown"] * 2 + ["queued"] * 3
    assert counts(mailing).unknown == 2
    assert_balanced(mailing)


def test_handed_upto_is_committed_before_the_first_byte(monkeypatch):
    mailing = planned(4)
    taken = claimed(mailing)
    seen = []
    monkeypatch.setattr("newsletter.sending.pace.chunk_size", lambda _: 2)

    class Looking(MemoryTransport):
        def send(self, outgoing):
            for one in outgoing:
                seen.append(Batch.objects.get(pk=taken.batch_id).handed_upto)
                yield from super().send([one])

    deliver(taken, Looking())

    # The second chunk is handed over while the first one's second half goes out.
    assert seen == [2, 4, 4, 4]


def test_second_copies_are_handed_over_one_by_one():
    """A second loss is final, so it must not strike more than what was on the wire."""
    mailing = planned(3)
    run(MemoryTransport(lambda _: UNKNOWN))
    seen = []

    class Looking(MemoryTransport):
        def send(self, outgoing):
            for one in outgoing:
                if one is not None:
                    seen.append(Batch.objects.latest("pk").handed_upto)
                yield from super().send([one])

    run(Looking(), now=timezone.now() + LATER)

    assert seen == [1, 2, 3]
    assert states(mailing) == ["accepted"] * 3


def test_a_worker_that_loses_its_batch_sends_no_further_chunk(monkeypatch):
    from newsletter.sending import pace
    from newsletter.sending.deliver import Ending

    monkeypatch.setattr(pace, "chunk_size", lambda _: 2)
    mailing = planned(6)
    taken = claimed(mailing)

    class Overtaken(MemoryTransport):
        def send(self, outgoing):
            for number, one in enumerate(outgoing):
                if number == 0:
                    let_lease_run_out(taken)
                    recover()
                yield from super().send([one])

    assert deliver(taken, Overtaken()) is Ending.LOST
    # What was accepted was proved late, and what was never taken is queued again.
    found = states(mailing)
    assert found[0] == "accepted"
    assert set(found[1:]) <= {"accepted", "queued"}
    assert found.count("accepted") == len(sent_to()) <= 2
    assert counts(mailing).unknown == 0
    assert_balanced(mailing)
    run(now=timezone.now() + timedelta(seconds=1))
    assert sorted(sent_to()) == sorted(set(sent_to()))
    assert states(mailing) == ["accepted"] * 6


def test_others_get_theirs_at_once_and_an_unknown_only_after_its_time():
    mailing = planned(3)
    taken = claimed(mailing)
    next_chunk(taken, 1, copies(taken))
    let_lease_run_out(taken)
    recover()

    run()
    assert len(sent_to()) == 2
    assert Mailing.objects.get(pk=mailing.pk).state == Mailing.State.SENDING

    run(now=timezone.now() + LATER)
    assert len(sent_to()) == 3
    assert states(mailing) == ["accepted"] * 3
    assert Mailing.objects.get(pk=mailing.pk).state == Mailing.State.ENDED
    assert_balanced(mailing)


def test_an_unknown_is_sent_again_with_the_same_bytes():
    mailing = planned(1)
    run(MemoryTransport(lambda _: UNKNOWN))
    run(now=timezone.now() + LATER)

    first, second = memory.outbox
    assert first == second
    assert b"Message-ID: <" in first.content
    row = Delivery.objects.get(mailing=mailing)
    assert (row.state, row.resent, row.attempt) == ("accepted", True, 2)


def test_an_unknown_is_sent_again_once_and_then_stays_unknown():
    mailing = planned(1)
    unknown = MemoryTransport(lambda _: UNKNOWN)
    for days in range(5):
        run(unknown, now=timezone.now() + timedelta(days=days))

    assert len(memory.outbox) == 2
    assert states(mailing) == ["unknown"]
    assert counts(mailing).unknown == 1
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED
    assert_balanced(mailing)


def test_a_newsletter_that_holds_unknowns_never_sends_them_again():
    mailing = planned(2, unknown_policy=Newsletter.UnknownPolicy.HOLD)
    run(MemoryTransport(lambda _: UNKNOWN))
    run(now=timezone.now() + timedelta(days=2))

    assert len(memory.outbox) == 2
    assert states(mailing) == ["unknown"] * 2
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED


def test_the_wait_for_an_unknown_is_a_quarter_of_an_hour():
    mailing = planned(1)
    run(MemoryTransport(lambda _: UNKNOWN))

    wait = Delivery.objects.get(mailing=mailing).retry_at - timezone.now()

    assert timedelta(minutes=14, seconds=50) < wait < timedelta(minutes=16)


def test_counts_move_with_what_is_sent_again():
    mailing = planned(3)
    answers = iter([OK, UNKNOWN, OK, OK])
    run(MemoryTransport(lambda _: next(answers)))
    (old,) = Batch.objects.filter(mailing=mailing)
    assert (old.planned, old.accepted, old.unknown) == (3, 2, 1)

    from newsletter.sending.gather import gather

    assert gather(timezone.now() + LATER) == 1
    old.refresh_from_db()
    new = Batch.objects.filter(mailing=mailing).latest("pk")
    assert (old.planned, old.unknown) == (2, 0)
    assert (new.planned, new.unknown, new.state) == (1, 0, Batch.State.READY)
    assert counts(mailing).open == 1
    assert_balanced(mailing)


def test_gathering_twice_with_stale_eyes_moves_nothing_twice(monkeypatch):
    from newsletter.sending import gather as gathering

    mailing = planned(3)
    run(MemoryTransport(lambda _: UNKNOWN))
    due = [
        gathering._Due(*row)
        for row in Delivery.objects.values_list("pk", "mailing_id", "batch_id", "state")
    ]
    later = timezone.now() + LATER
    assert gathering.gather(later) == 3
    number = Batch.objects.count()

    # The second feeder read the rows before the first one moved them.
    with pytest.raises((gathering.OutOfBalance, gathering.IntegrityError)):
        gathering._move(mailing.pk, due, timezone.now())

    assert Batch.objects.count() == number
    assert_balanced(mailing)


def test_a_late_proof_makes_an_unknown_accepted():
    mailing = planned(2)
    taken = claimed(mailing)
    rows = next_chunk(taken, 2, copies(taken)).rows
    let_lease_run_out(taken)
    recover()

    assert prove_late([(rows[0].pk, 1)]) == 1

    assert states(mailing) == ["accepted", "unknown"]
    assert counts(mailing).accepted == 1
    assert_balanced(mailing)


def test_a_proof_of_an_earlier_attempt_proves_nothing():
    mailing = planned(1)
    taken = claimed(mailing)
    rows = next_chunk(taken, 1, copies(taken)).rows
    let_lease_run_out(taken)
    recover()
    run(MemoryTransport(lambda _: UNKNOWN), now=timezone.now() + LATER)

    assert prove_late([(rows[0].pk, 1)]) == 0
    assert states(mailing) == ["unknown"]


def test_a_proof_comes_too_late_once_the_copy_is_queued_again():
    mailing = planned(1)
    taken = claimed(mailing)
    rows = next_chunk(taken, 1, copies(taken)).rows
    let_lease_run_out(taken)
    recover()
    from newsletter.sending.gather import gather

    gather(timezone.now() + LATER)

    assert prove_late([(rows[0].pk, 1)]) == 0
    assert states(mailing) == ["queued"]
    assert_balanced(mailing)


def test_a_second_loss_of_the_same_copy_is_final():
    mailing = planned(1)
    run(MemoryTransport(lambda _: UNKNOWN))
    later = timezone.now() + LATER
    from newsletter.sending.claim import claim
    from newsletter.sending.feed import feed

    (batch,) = feed(later)
    taken = claim(batch, "dies too")
    next_chunk(taken, 1, copies(taken))
    let_lease_run_out(taken)
    recover()

    row = Delivery.objects.get(mailing=mailing)
    assert (row.state, row.retry_at) == ("unknown", None)
    run(now=later + timedelta(days=2))
    assert len(memory.outbox) == 1
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED


def test_a_paused_mailing_is_recovered_but_not_sent():
    mailing = planned(3)
    taken = claimed(mailing)
    next_chunk(taken, 1, copies(taken))
    control.pause(mailing=mailing)
    let_lease_run_out(taken)

    recover()
    run(now=timezone.now() + LATER)

    assert sent_to() == []
    assert states(mailing) == ["unknown", "queued", "queued"]


def test_sweeping_again_and_again_changes_nothing_more():
    mailing = planned(3)
    taken = claimed(mailing)
    next_chunk(taken, 2, copies(taken))
    let_lease_run_out(taken)
    recover()
    before = list(Delivery.objects.order_by("pk").values())

    for _ in range(3):
        assert recover().batches == 0

    assert list(Delivery.objects.order_by("pk").values()) == before


def test_a_mailing_that_does_not_balance_is_not_called_sent():
    """Invariant 5: a fault of ours must show."""
    mailing = planned(2)
    taken = claimed(mailing)
    rows = next_chunk(taken, 2, copies(taken)).rows
    record(taken, [(row, OK) for row in rows])
    Delivery.objects.filter(pk=rows[0].pk).update(state=Delivery.State.REFUSED)

    deliver(taken, MemoryTransport())

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert "add up" in mailing.trouble


def test_the_database_refuses_counts_that_cannot_be():
    from django.db import IntegrityError, transaction

    mailing = planned(2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.filter(mailing=mailing).update(accepted=3)
