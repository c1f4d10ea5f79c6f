"""Pausing, cancelling, leaving and shutting down take effect within a chunk (invariant 4)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.sending import control, pace, stopping
from newsletter.sending.balance import counts
from newsletter.sending.deliver import Ending, deliver
from newsletter.sending.errors import NotPossible
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.recover import recover
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from signup.models import ConsentEntry, Subscriber, Subscription, Suppression
from signup.suppress import suppress
from signup.unsubscribe import end
from tests.sending.mailings import assert_balanced, claimed, planned, run, sent_to, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def chunks_of_two(monkeypatch):
    monkeypatch.setattr(pace, "chunk_size", lambda _: 2)


class Meanwhile(MemoryTransport):
    """Does something after the first message of the first chunk."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def send(self, outgoing):
        for answer in super().send(outgoing):
            if self.what:
                what, self.what = self.what, None
                what()
            yield answer


@pytest.mark.parametrize("stop", [control.pause, control.cancel])
def test_stopping_lets_the_chunk_that_was_checked_go_and_no_other(chunks_of_two, stop):
    mailing = planned(6)

    ending = deliver(claimed(mailing), Meanwhile(lambda: stop(mailing=mailing)))

    assert ending is Ending.STOPPED
    assert len(sent_to()) == 2
    assert states(mailing) == ["accepted"] * 2 + ["queued"] * 4
    assert Batch.objects.get().state == Batch.State.READY
    assert_balanced(mailing)


def test_who_unsubscribes_during_the_mailing_gets_nothing_after_the_chunk(chunks_of_two):
    mailing = planned(6)
    last = Subscription.objects.order_by("-subscriber")[0]

    def leave() -> None:
        end(
            subscription=last,
            reason=Subscription.EndedReason.ONE_CLICK,
            method=ConsentEntry.Method.ONE_CLICK,
        )

    deliver(claimed(mailing), Meanwhile(leave))

    assert len(sent_to()) == 5
    assert last.subscriber.email not in sent_to()
    row = Delivery.objects.get(subscriber=last.subscriber)
    assert (row.state, row.skip_reason) == ("skipped", "not_live")
    assert counts(mailing).skipped == 1
    assert_balanced(mailing)
    assert Mailing.objects.get().state == Mailing.State.ENDED


@pytest.mark.parametrize("reason", [Suppression.Reason.COMPLAINT, Suppression.Reason.HARD_BOUNCE])
def test_who_is_suppressed_during_the_mailing_gets_nothing(chunks_of_two, reason):
    mailing = planned(4)
    last = Subscriber.objects.order_by("-pk")[0]

    deliver(
        claimed(mailing),
        Meanwhile(lambda: suppress(subscriber=last, reason=reason, source="test")),
    )

    assert last.email not in sent_to()
    assert Delivery.objects.get(subscriber=last).state == Delivery.State.SKIPPED


def test_a_slow_relay_makes_the_chunk_end_early(monkeypatch):
    """A chunk is bounded in time even when the relay turns slow in the middle of it."""
    mailing = planned(5)
    monkeypatch.setattr(pace, "LONGEST_CHUNK_SECONDS", -1.0)
    taken = claimed(mailing)
    checks = []
    monkeypatch.setattr(stopping, "is_stopping", lambda: checks.append(1) or len(checks) > 3)

    deliver(taken, MemoryTransport())

    assert sent_to() == []
    assert states(mailing) == ["queued"] * 5
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {0}
    assert_balanced(mailing)


def test_a_chunk_holds_what_goes_out_in_half_a_second():
    pace.measured("smtp", messages=100, seconds=1.0)
    assert pace.chunk_size("smtp") == 50
    pace.measured("smtp", messages=10, seconds=10.0)
    pace.measured("smtp", messages=10, seconds=10.0)
    pace.measured("smtp", messages=10, seconds=10.0)
    assert pace.chunk_size("smtp") < 10
    for _ in range(20):
        pace.measured("smtp", messages=1, seconds=60.0)
    assert pace.chunk_size("smtp") == 1
    pace.measured("smtp", messages=100_000, seconds=0.1)
    assert pace.chunk_size("smtp") == pace.MOST


def test_pause_and_resume():
    mailing = planned(3)
    control.pause(mailing=mailing)
    assert feed() == []
    run()
    assert sent_to() == []

    control.resume(mailing=mailing)
    run()
    assert len(sent_to()) == 3


def test_what_a_cancelled_mailing_still_had_open_is_skipped_and_it_balances():
    mailing = planned(4)
    answers = iter([Receipt(Outcome.ACCEPTED, 250), Receipt(Outcome.TEMPORARY, 451)])
    pause_after_two = MemoryTransport(
        lambda _: next(answers, Receipt(Outcome.TEMPORARY, None, about_the_line=True))
    )
    run(pause_after_two)
    control.cancel(mailing=mailing)

    recover()
    run(now=timezone.now() + timedelta(days=1))

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.CANCELLED
    assert mailing.ended_at is not None
    assert states(mailing) == ["accepted", "skipped", "skipped", "skipped"]
    assert set(Delivery.objects.filter(state="skipped").values_list("skip_reason", flat=True)) == {
        "cancelled"
    }
    assert not Delivery.objects.filter(retry_at__isnull=False).exists()
    assert counts(mailing).open == 0
    assert_balanced(mailing)


def test_cancelling_leaves_unknown_what_is_unknown():
    mailing = planned(1)
    run(MemoryTransport(lambda _: Receipt(Outcome.UNKNOWN)))
    control.cancel(mailing=mailing)
    recover()

    row = Delivery.objects.get()
    assert (row.state, row.retry_at) == ("unknown", None)
    mailing.refresh_from_db()
    assert mailing.ended_at is not None


@pytest.mark.parametrize("left", [True, False])
def test_a_second_copy_that_is_not_sent_leaves_the_first_one_unknown(left):
    """Calling it skipped would say that the reader got nothing, which nobody knows."""
    mailing = planned(1)
    run(MemoryTransport(lambda _: Receipt(Outcome.UNKNOWN)))
    later = timezone.now() + timedelta(hours=1)
    (batch,) = feed(later)
    if left:
        end(
            subscription=Subscription.objects.get(),
            reason=Subscription.EndedReason.UNSUBSCRIBED,
            method=ConsentEntry.Method.LINK,
        )
        from newsletter.sending.claim import claim

        deliver(claim(batch, "worker"), MemoryTransport())
    else:
        control.cancel(mailing=mailing)
        recover()

    assert states(mailing) == ["unknown"]
    assert counts(mailing).unknown == 1
    assert len(sent_to()) == 1
    assert_balanced(mailing)


def test_a_worker_that_is_told_to_stop_finishes_its_chunk_and_gives_the_batch_back(chunks_of_two):
    mailing = planned(6)

    ending = deliver(claimed(mailing), Meanwhile(stopping.stop))

    assert ending is Ending.RELEASED
    assert len(sent_to()) == 2
    batch = Batch.objects.get()
    assert (batch.state, batch.lease_until, batch.worker) == (Batch.State.READY, None, "")
    assert sorted(states(mailing)) == ["accepted"] * 2 + ["queued"] * 4
    stopping.go_on()
    assert feed() == [batch.pk]


@pytest.mark.parametrize("origin", list(Mailing.State))
@pytest.mark.parametrize(
    ("verb", "target"),
    [
        (control.pause, Mailing.State.PAUSED),
        (control.resume, Mailing.State.SENDING),
        (control.cancel, Mailing.State.CANCELLED),
    ],
)
def test_control_follows_the_table_of_transitions(verb, target, origin):
    mailing = planned(0)
    Mailing.objects.filter(pk=mailing.pk).update(state=origin)
    mailing.refresh_from_db()
    allowed = mailing.may_become(target)
    if verb is control.resume:
        # planning → sending is for the plan to do, when it is complete.
        allowed = origin == Mailing.State.PAUSED

    if allowed:
        verb(mailing=mailing)
        assert mailing.state == target
    else:
        with pytest.raises(NotPossible):
            verb(mailing=mailing)
        assert Mailing.objects.get().state == origin
