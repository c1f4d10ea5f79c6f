"""kill -9 in the middle of a mailing: nobody is lost, and who gets two gets the same one twice."""

import pytest

from newsletter.sending.models import Batch, Delivery
from tests.faults.line import (
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
)

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _short_times(settings):
    from tests.faults import line

    settings.SENDING_LEASE_SECONDS = line.LEASE
    settings.SENDING_UNKNOWN_AFTER_SECONDS = line.UNKNOWN_AFTER


def test_killing_the_worker_again_and_again_loses_nobody(line: Line, mailing):
    line.relay.delay = 0.002
    with line.beats():
        for sent in (150, 700, 1300):
            worker = line.worker()
            line.wait_for_sent(sent)
            worker.kill()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)
    # The kills did hit a chunk on its way, or this test shows nothing.
    assert Delivery.objects.filter(mailing=mailing, resent=True).exists()


def test_sigterm_lets_the_worker_finish_its_chunk_and_leaves_nothing_unknown(line: Line, mailing):
    line.relay.delay = 0.002
    with line.beats():
        worker = line.worker()
        line.wait_for_sent(300)
        assert worker.stop() == 0
        sent = len(line.relay.messages)
        assert sent < 2000
        assert not Batch.objects.filter(mailing=mailing).filter(state="claimed").exists()
        assert not Batch.objects.filter(mailing=mailing, handed_upto__gt=0, state="ready").exists()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
    assert not Delivery.objects.filter(mailing=mailing, resent=True).exists()


def test_a_relay_that_drops_lines_and_refuses_now_and_then_loses_nobody(line: Line, mailing):
    line.relay.drop("CONTENT", times=3)
    line.relay.drop("RCPT", times=5)
    line.relay.refuse("MAIL", "421 4.3.2 enough", times=5)
    line.relay.refuse("RCPT", "451 4.7.1 later", times=5)
    settings = {"SENDING_RETRY_SECONDS": "1", "SENDING_LINE_PAUSE_SECONDS": "0.5"}
    with line.beats():
        line.worker(**settings)
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
