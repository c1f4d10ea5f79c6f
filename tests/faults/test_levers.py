"""Pause, resume and cancel, while a real worker sends: they take effect within a second."""

import pytest

from newsletter.sending.balance import counts, recount
from newsletter.sending.control import cancel, pause, resume
from newsletter.sending.models import Delivery, Mailing
from tests.faults.line import (
    READERS,
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
    nothing_begins_after_a_second,
)

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _short_times(settings):
    from tests.faults import line

    settings.SENDING_LEASE_SECONDS = line.LEASE
    settings.SENDING_UNKNOWN_AFTER_SECONDS = line.UNKNOWN_AFTER


def test_pausing_stops_the_worker_within_a_second_and_resuming_goes_on(line: Line, mailing):
    line.relay.delay = 0.005
    with line.beats():
        line.worker()
        line.wait_for_sent(100)
        with nothing_begins_after_a_second(line.relay):
            pause(mailing=mailing)
        sent = len(line.relay.messages)
        assert sent < READERS

        # What the worker dropped while it was paused need not wait for its hint's 30 seconds.
        resume(mailing=mailing)
        line.wait_for_sent(sent + 1, seconds=10)
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0


def test_cancelling_stops_the_worker_within_a_second_and_for_good(line: Line, mailing):
    line.relay.delay = 0.005
    with line.beats():
        line.worker()
        line.wait_for_sent(100)
        with nothing_begins_after_a_second(line.relay):
            cancel(mailing=mailing)
        line.wait_for_end(mailing)

    kept = counts(mailing)
    assert mailing.state == Mailing.State.CANCELLED
    assert kept == recount(mailing)
    assert (kept.open, kept.accepted) == (0, len(line.relay.messages))
    skipped = Delivery.objects.filter(mailing=mailing, skip_reason="cancelled").count()
    assert skipped == kept.skipped == READERS - kept.accepted


def test_a_relay_that_is_slow_does_not_delay_a_pause(line: Line, mailing):
    """A tenth of a second for each message: what is not out within the second goes back."""
    line.relay.delay = 0.1
    with line.beats():
        line.worker()
        line.wait_for_sent(20)
        with nothing_begins_after_a_second(line.relay):
            pause(mailing=mailing)
        assert len(line.relay.messages) < READERS
    assert Mailing.objects.get(pk=mailing.pk).state == Mailing.State.PAUSED
