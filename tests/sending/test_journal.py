"""What a worker wrote down on its own host, and what is made of it when the worker is gone."""

import os
import struct

import pytest

from newsletter.catalogue.models import Newsletter
from newsletter.sending import control, deliver
from newsletter.sending.balance import Counts, counts
from newsletter.sending.chunk import next_chunk
from newsletter.sending.journal import ENTRIES, SIZE, Journal, Left, left_behind
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.recover import recover
from newsletter.sending.take_back import stamp_of
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


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SENDING_JOURNAL_DIR = tmp_path / "journal"
    return settings.SENDING_JOURNAL_DIR


@pytest.fixture
def journal(folder):
    kept = Journal(folder)
    kept.open()
    yield kept
    kept.close()


def died_with_five(journal, stamp=None):
    """A worker that handed over five: one accepted, one refused, one on the wire, two not begun."""
    mailing = planned(7)
    taken = claimed(mailing)
    rows = next_chunk(taken, 5, copies(taken)).rows
    journal.batch(taken.batch_id, taken.epoch, stamp or stamp_of(mailing))
    for row in rows[:3]:
        journal.taken(row.pk, 1)
    journal.accepted(rows[0].pk, 1)
    journal.not_sent(rows[1].pk, 1)
    return mailing, taken


def test_a_dead_workers_batch_is_taken_back_at_once_and_only_what_was_on_the_wire_is_unknown(
    journal, folder
):
    mailing, _ = died_with_five(journal)
    journal.leave()

    assert recover().journals == 1

    assert states(mailing) == ["accepted", "queued", "unknown"] + ["queued"] * 4
    assert set(Delivery.objects.filter(state="queued").values_list("attempt", flat=True)) == {0}
    assert list(folder.iterdir()) == []
    assert_balanced(mailing)
    run()
    assert len(sent_to()) == 5


def test_a_living_workers_journal_is_left_alone(journal):
    mailing, taken = died_with_five(journal)

    assert recover().journals == 0

    assert Batch.objects.get(pk=taken.batch_id).state == Batch.State.CLAIMED
    assert states(mailing) == ["queued"] * 7


def test_a_journal_found_after_its_batch_was_taken_back_still_proves_what_it_knows(journal):
    """Another host's sweep was first, and knew of nothing but the mark."""
    mailing, taken = died_with_five(journal)
    let_lease_run_out(taken)
    assert recover().unknown == 5
    journal.leave()

    recover()

    assert states(mailing) == ["accepted", "queued", "unknown"] + ["queued"] * 4
    assert counts(mailing).unknown == 1
    assert_balanced(mailing)
    run()
    assert len(sent_to()) == 5


@pytest.mark.parametrize("end", ["held", "cancelled"])
def test_what_a_journal_finds_unsent_is_not_left_open_in_a_mailing_that_has_ended(journal, end):
    """Nobody would send it any more, and the mailing would have an open reader for ever."""
    mailing, taken = died_with_five(journal)
    Newsletter.objects.update(unknown_policy=Newsletter.UnknownPolicy.HOLD)
    let_lease_run_out(taken)
    recover()
    if end == "cancelled":
        control.cancel(mailing=mailing)
        recover()
    else:
        run()
    mailing.refresh_from_db()
    assert mailing.ended_at is not None
    journal.leave()

    recover()

    assert counts(mailing).open == 0
    assert counts(mailing).unknown == 4
    assert_balanced(mailing)


def test_after_a_power_cut_a_journal_proves_only_what_it_says(journal, monkeypatch):
    """Its end may never have reached the disk: what it does not name may have gone out."""
    mailing, _ = died_with_five(journal)
    journal.leave()
    monkeypatch.setattr("newsletter.sending.journal._this_start", lambda: "the next start")

    recover()

    assert states(mailing) == ["accepted"] + ["unknown"] * 4 + ["queued"] * 2
    assert_balanced(mailing)


def test_reading_a_journal_twice_changes_nothing_more(journal, folder):
    mailing, _ = died_with_five(journal)
    journal.leave()
    (path,) = folder.iterdir()
    content = path.read_bytes()
    recover()
    before = list(Delivery.objects.order_by("pk").values())
    path.write_bytes(content)

    assert recover().journals == 1

    assert list(Delivery.objects.order_by("pk").values()) == before
    assert_balanced(mailing)


def test_a_journal_of_another_database_proves_nothing(journal):
    mailing, _ = died_with_five(journal, stamp=b"another!")
    journal.leave()

    recover()

    assert states(mailing) == ["queued"] * 7
    assert Batch.objects.get().state == Batch.State.CLAIMED


def test_a_proof_of_an_earlier_attempt_proves_nothing(journal):
    mailing = planned(1)
    Delivery.objects.update(attempt=1)
    taken = claimed(mailing)
    (row,) = next_chunk(taken, 1, copies(taken)).rows
    journal.batch(taken.batch_id, taken.epoch, stamp_of(mailing))
    journal.taken(row.pk, 1)
    journal.accepted(row.pk, 1)
    journal.leave()

    recover()

    # It was not begun in this attempt.
    assert states(mailing) == ["queued"]
    assert_balanced(mailing)


@pytest.mark.parametrize("cut", [0, 7, 16, 17, 40])
def test_half_an_entry_is_no_entry(journal, folder, cut):
    journal.batch(7, 1, b"stampsta")
    journal.taken(1, 1)
    content = journal._path.read_bytes()

    left = Left.read(content[:cut])

    assert len(left.batches) == (cut >= 32)
    assert left.unknown == {}


def test_what_a_finished_run_wrote_is_gone_before_the_next_byte(journal):
    journal.batch(7, 1, b"stampsta")
    journal.taken(1, 1)
    journal.rest()
    assert Left.read(journal._path.read_bytes()) == Left()
    journal.open()
    assert journal._path.stat().st_size == SIZE
    assert Left.read(journal._path.read_bytes()) == Left()


def test_a_full_disk_costs_the_journal_and_no_mail(monkeypatch, folder):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(deliver, "_journals", [])
    mailing = planned(3)

    run()

    assert states(mailing) == ["accepted"] * 3
    assert list(folder.iterdir()) == []


def test_a_journal_that_cannot_be_written_any_more_says_nothing_at_all(journal, folder):
    """Half of one would say of what was sent that it had not been."""
    journal.batch(7, 1, b"stampsta")
    for _ in range(ENTRIES - 2):
        journal.accepted(1, 1)
    assert journal.is_kept

    journal.taken(2, 1)

    assert not journal.is_kept
    assert journal.trouble == "No space left on device"
    assert list(left_behind(folder)) == []


def test_a_worker_killed_in_the_middle_of_an_entry_has_not_written_it(journal, folder):
    journal.batch(7, 1, b"stampsta")
    journal.taken(2, 1)
    journal.leave()
    (path,) = folder.iterdir()
    with path.open("r+b") as file:
        # The third entry, all but its mark, which comes last.
        file.seek(3 * 16)
        file.write(struct.pack("<QIH", 3, 1, 2))

    (left,) = left_behind(folder)

    assert set(left.unknown) == {2}


def test_a_mailing_whose_count_changes_between_two_looks_ends_all_the_same(monkeypatch):
    """A late proof between the look at the batches and the look at the rows is no fault."""
    from newsletter.sending import settle

    mailing = planned(2)
    looks = iter([Counts(planned=2, accepted=1, unknown=1)])
    real = settle.recount
    monkeypatch.setattr(settle, "recount", lambda mailing: next(looks, None) or real(mailing))

    run()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.trouble) == (Mailing.State.ENDED, "")


def test_a_mailing_whose_counts_stay_apart_is_stopped(monkeypatch):
    from newsletter.sending import settle

    mailing = planned(2)
    monkeypatch.setattr(settle, "recount", lambda _: Counts(planned=2, accepted=1))

    run()

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
