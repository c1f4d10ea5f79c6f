"""Seals: written once, outside the database, chained, signed; and verify says what is wrong."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from signup import consent, tasks
from signup.consent import seals
from signup.models import ConsentSubject, LedgerSeal, Subscriber, SystemMail

Asking = Callable[..., SystemMail | None]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.LEDGER_SEAL_DIR = tmp_path / "seals"
    return tmp_path / "seals"


@pytest.fixture
def three(ask: Asking, reader: Subscriber) -> None:
    """Three nights: Ada; then Bob; then nothing new."""
    seals.seal()
    ask("bob@example.org")
    seals.seal()
    seals.seal()


def said() -> list[str]:
    return [str(fault) for fault in consent.verify()]


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.chmod(0o640)
    path.write_bytes(content.replace(old, new, 1))


def test_a_seal_holds_the_head_of_every_chain(reader: Subscriber, folder: Path) -> None:
    tasks.seal_ledger()
    chain = ConsentSubject.objects.get()
    lines = (folder / "seal-000001.txt").read_text().splitlines()
    assert lines[1] == f"{chain.subject.hex} 6 {bytes(chain.head_hash).hex()}"
    assert len(lines) == 3
    assert said() == []


def test_a_seal_holds_no_address_and_no_name(ask: Asking, folder: Path) -> None:
    ask("wilhelmina@example.org", first_name="Wilhelmina")
    seals.seal()
    seal = (folder / "seal-000001.txt").read_bytes().lower()
    # Letters that no hexadecimal number has.
    assert b"wilhelmina" not in seal
    assert b"example" not in seal


def test_the_next_seal_holds_only_what_moved(three: None, folder: Path) -> None:
    assert [row.chains for row in LedgerSeal.objects.order_by("number")] == [1, 1, 0]
    assert said() == []


def test_a_seal_cannot_be_written_over(three: None, folder: Path) -> None:
    path = folder / "seal-000003.txt"
    assert oct(path.stat().st_mode & 0o777) == "0o440"
    LedgerSeal.objects.filter(number=3).delete()
    before = path.read_bytes()
    seals.seal()
    assert path.read_bytes() == before
    assert (folder / "seal-000004.txt").exists()


def test_two_sealings_at_once_make_one_seal(
    reader: Subscriber, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "files", list)
    assert seals.seal() is not None
    LedgerSeal.objects.all().delete()
    assert seals.seal() is None
    assert [path.name for path in folder.iterdir()] == ["seal-000001.txt"]


def test_a_seal_that_broke_off_leaves_no_file_and_is_made_whole_next_time(
    reader: Subscriber, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(seals.CannotSeal, match="No space left"):
        seals.seal()
    assert list(folder.iterdir()) == []
    assert not LedgerSeal.objects.exists()
    monkeypatch.undo()
    made = seals.seal()
    assert made is not None and made.chains == 1


def test_a_stop_between_the_file_and_its_note_loses_nothing(
    reader: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(seals, "_mark_as_sealed", stop)
    with pytest.raises(KeyboardInterrupt):
        seals.seal()
    monkeypatch.undo()
    assert said() == []
    made = seals.seal()
    assert made is not None and (made.number, made.chains) == (2, 1)
    assert said() == []


def test_a_changed_seal_is_named(three: None, folder: Path) -> None:
    rewrite(folder / "seal-000001.txt", b" 6 ", b" 5 ")
    assert "ledger: seal 1 was changed after it was made" in said()


def test_a_seal_with_its_end_cut_off_is_named(three: None, folder: Path) -> None:
    path = folder / "seal-000002.txt"
    rewrite(path, path.read_bytes().splitlines(keepends=True)[-1], b"")
    assert "ledger: seal 2 was cut off" in said()


def test_a_seal_that_was_added_to_is_named(three: None, folder: Path) -> None:
    path = folder / "seal-000002.txt"
    path.chmod(0o640)
    with path.open("ab") as opened:
        opened.write(b"more\n")
    assert "ledger: seal 2 was added to" in said()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_lost_seal_is_named_the_last_one_too(three: None, folder: Path, number: int) -> None:
    (folder / f"seal-00000{number}.txt").unlink()
    assert f"ledger: seal {number} is gone from {folder}" in said()


def test_a_seal_lost_here_and_in_the_database_leaves_a_gap(three: None, folder: Path) -> None:
    (folder / "seal-000002.txt").unlink()
    LedgerSeal.objects.filter(number=2).delete()
    assert f"ledger: seal 2 is missing from {folder}" in said()


def test_a_seal_in_the_place_of_another_is_named(three: None, folder: Path) -> None:
    second, third = folder / "seal-000002.txt", folder / "seal-000003.txt"
    content = second.read_bytes()
    second.unlink()
    third.rename(second)
    third.write_bytes(content)
    assert any("seal 2 is damaged" in fault for fault in said())


def test_a_seal_under_an_unlisted_key_is_named(three: None, settings: Any) -> None:
    settings.LEDGER_KEYS = ((2, b"n" * 32),)
    assert any("seal 1 was made with key 1" in fault for fault in said())


def test_sealing_goes_on_under_a_new_key(three: None, settings: Any) -> None:
    settings.LEDGER_KEYS = ((2, b"n" * 32), *settings.LEDGER_KEYS)
    assert seals.seal() is not None
    assert said() == []


def test_sealing_that_has_stopped_is_told(three: None) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        assert any("sealing has stopped" in fault for fault in said())


def test_the_command_seals_and_says_where(
    reader: Subscriber, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("seal_ledger")
    assert f"Seal 1 holds 1 chains: {folder}" in capsys.readouterr().out
    call_command("verify_ledger")
    assert "sealed up to" in capsys.readouterr().out


def test_the_command_says_when_nothing_can_be_written(
    reader: Subscriber, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings.LEDGER_SEAL_DIR = tmp_path / "file"
    with pytest.raises(CommandError, match="No seal could be written"):
        call_command("seal_ledger")
