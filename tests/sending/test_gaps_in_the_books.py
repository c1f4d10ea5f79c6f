"""The database is away for a moment, and what could not be written must not be written off."""

import pytest
from django.db import OperationalError

from newsletter.sending import run as runs
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.record import record
from newsletter.sending.recover import recover
from tests.sending.mailings import assert_balanced, planned, reader_addresses, run, sent_to, states

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("failing", [0, 2])
def test_a_batch_is_not_done_while_outcomes_before_its_last_could_not_be_written(
    monkeypatch, failing: int
):
    """As when a pooler dies and is back before the next outcomes are written."""
    calls: list[bool] = []

    def write_down(claim, results, *, finished=False):
        calls.append(finished)
        if len(calls) == failing + 1:
            raise OperationalError("server closed the connection unexpectedly")
        record(claim, results, finished=finished)

    monkeypatch.setattr(runs, "record", write_down)
    monkeypatch.setattr(runs, "RECORD_SECONDS", -1.0)
    mailing = planned(6)

    with pytest.raises(OperationalError):
        run()

    # What had to stay unwritten was told by whoever knew it, at once.
    assert not Batch.objects.filter(mailing=mailing, state=Batch.State.CLAIMED).exists()
    assert states(mailing) == [Delivery.State.ACCEPTED] * 6
    recover()
    run()
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED
    assert sent_to() == reader_addresses(mailing)
    assert_balanced(mailing)
