"""kill -9 in the middle of a mailing: nobody is lost, and who gets two gets the same one twice."""

import pytest
from django.db.models import Q

from newsletter.sending.models import Batch, Delivery
from tests.faults.line import (
    READERS,
    Line,
    assert_nobody_lost,
    assert_twice_only_as_resent_unknown,
)
from tests.running.processes import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _short_times(settings):
    from tests.faults import line

    settings.SENDING_LEASE_SECONDS = line.LEASE
    settings.SENDING_UNKNOWN_AFTER_SECONDS = line.UNKNOWN_AFTER


def test_killing_the_worker_again_and_again_loses_nobody(line: Line, mailing):
    line.relay.delay = 0.002
    with line.beats():
        for sent in (100, 350, 650):
            worker = line.worker()
            line.wait_for_sent(sent)
            worker.kill()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)


def test_the_journal_leaves_unknown_only_what_was_on_the_wire(line: Line, mailing):
    """kill -9 with a journal: at most one message for each connection, whatever the chunk was."""
    line.relay.delay = 0.002
    # A journal is read at once. A lease that runs out on a slow machine would be another story.
    env = {"EMAIL_URL": f"{line.relay.url}?timeout=20&lines=3", "SENDING_LEASE_SECONDS": "60"}
    with line.beats():
        for number, sent in enumerate((100, 300, 500), start=1):
            worker = line.worker(**env)
            line.wait_for_sent(sent)
            worker.kill()
            wait_until(
                lambda: not Batch.objects.filter(mailing=mailing, state="claimed").exists(),
                seconds=30,
                about="the batch taken back",
            )
            unknown = Delivery.objects.filter(mailing=mailing).filter(
                Q(state="unknown") | Q(resent=True)
            )
            assert unknown.count() <= 3 * number
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)


def test_without_its_journal_a_killed_worker_leaves_a_chunk_unknown_and_loses_nobody(
    line: Line, mailing, tmp_path
):
    """The host is gone, and its disk with it: what was handed over may have gone out."""
    line.relay.delay = 0.002
    with line.beats():
        worker = line.worker(SENDING_JOURNAL_DIR=str(tmp_path / "lost"))
        line.wait_for_sent(150)
        worker.kill()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert_twice_only_as_resent_unknown(line.relay, mailing)
    assert Delivery.objects.filter(mailing=mailing, resent=True).exists()


@pytest.mark.once
def test_a_worker_whose_disk_is_full_sends_without_a_journal(line: Line, mailing):
    """A journal that cannot be written costs exactness after a crash, and no mail."""
    with line.beats():
        worker = line.worker(SENDING_JOURNAL_DIR="/dev/null/journal")
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
    assert "No journal is kept" in worker.output


def test_sigterm_lets_the_worker_finish_its_chunk_and_leaves_nothing_unknown(line: Line, mailing):
    line.relay.delay = 0.002
    with line.beats():
        worker = line.worker()
        line.wait_for_sent(150)
        assert worker.stop() == 0
        sent = len(line.relay.messages)
        assert sent < READERS
        assert not Batch.objects.filter(mailing=mailing).filter(state="claimed").exists()
        assert not Batch.objects.filter(mailing=mailing, handed_upto__gt=0, state="ready").exists()
        line.worker()
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
    assert not Delivery.objects.filter(mailing=mailing, resent=True).exists()


@pytest.mark.once
def test_a_relay_that_drops_lines_and_refuses_now_and_then_loses_nobody(line: Line, mailing):
    line.relay.drop("CONTENT", times=3)
    line.relay.drop("RCPT", times=3)
    line.relay.refuse("MAIL", "421 4.3.2 enough", times=2)
    line.relay.refuse("RCPT", "451 4.7.1 later", times=5)
    settings = {"SENDING_RETRY_SECONDS": "1", "SENDING_LINE_PAUSE_SECONDS": "0.5"}
    with line.beats():
        line.worker(**settings)
        line.wait_for_end(mailing)

    assert_nobody_lost(line.relay, mailing)
    assert assert_twice_only_as_resent_unknown(line.relay, mailing) == 0
