"""A worker that is stopped in the middle of a transaction holds its batch's row, for a while."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import Error, connection, transaction

from newsletter.sending import batch_sql
from newsletter.sending.chunk import next_chunk
from newsletter.sending.claim import Claim
from newsletter.sending.recover import recover
from tests.running.processes import wait_until
from tests.sending.mailings import assert_balanced, claimed, copies, let_lease_run_out, planned

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Stopped:
    """What its COMMIT came to, once it went on."""

    error: BaseException | None = None


@contextmanager
def stopped_while_recording(claim: Claim) -> Iterator[Stopped]:
    """As SIGSTOP does between the statement that takes the lock and COMMIT; goes on at the end."""
    holds, wakes, stopped = threading.Event(), threading.Event(), Stopped()

    def work() -> None:
        try:
            with transaction.atomic():
                assert batch_sql.count((claim.batch_id, claim.epoch), accepted=1)
                holds.set()
                wakes.wait(60)
        except Exception as error:
            stopped.error = error
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    assert holds.wait(30)
    try:
        yield stopped
    finally:
        wakes.set()
        worker.join(30)


def test_who_sleeps_there_holds_up_no_other_batch_and_soon_not_even_its_own(monkeypatch):
    monkeypatch.setattr(batch_sql, "SILENCE", 2)
    asleep, gone = claimed(planned(3)), claimed(planned(3))
    for taken in (asleep, gone):
        next_chunk(taken, 2, copies(taken))
        let_lease_run_out(taken)

    with stopped_while_recording(asleep) as stopped:
        assert recover().batches == 1
        gone.mailing.refresh_from_db()
        assert_balanced(gone.mailing)

        # The database ends the transaction; nothing of it stays.
        wait_until(lambda: recover().batches == 1, seconds=30)

    assert isinstance(stopped.error, Error)
    assert_balanced(asleep.mailing)


def test_only_this_transaction_is_bounded():
    taken = claimed(planned(2))
    with connection.cursor() as cursor:

        def allowed() -> str:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return str(cursor.fetchone()[0])

        before = allowed()
        with transaction.atomic():
            assert batch_sql.hand_over((taken.batch_id, taken.epoch), taken.mailing.pk, 60, 1)
            assert allowed() == f"{batch_sql.SILENCE}s"
        assert allowed() == before
