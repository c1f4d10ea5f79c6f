"""From the answer to the workers: together, off the reader's time, and lost without harm."""

import multiprocessing
import threading
import time

import pytest

from signup import handing_over, mail, tasks
from tests.running.processes import wait_until


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What the workers were told, from a box of its own."""
    told: list[list[int]] = []
    monkeypatch.setattr(handing_over, "_outbox", handing_over._Outbox())
    monkeypatch.setattr(tasks.send_system_mails, "delay", told.append)
    return told


def test_mails_of_one_moment_travel_together(handed: list[list[int]]) -> None:
    for number in (1, 2, 3):
        handing_over.hand_over(number)
    wait_until(lambda: handed, seconds=30)
    assert handed == [[1, 2, 3]]


def test_a_lone_mail_is_handed_over_within_a_moment(handed: list[list[int]]) -> None:
    begun = time.monotonic()
    handing_over.hand_over(7)
    wait_until(lambda: handed, seconds=30)
    assert handed == [[7]]
    assert time.monotonic() - begun >= handing_over.TOGETHER


def test_many_are_shared_among_the_workers(handed: list[list[int]]) -> None:
    many = list(range(2 * handing_over.IN_ONE_TASK + 1))
    for number in many:
        handing_over.hand_over(number)
    handing_over.now()
    wait_until(lambda: sum(map(len, handed)) == len(many), seconds=30)
    assert sorted(number for some in handed for number in some) == many
    assert max(map(len, handed)) <= handing_over.IN_ONE_TASK


def test_nothing_due_is_handed_over_as_well(handed: list[list[int]]) -> None:
    """Invariant 13: the same work behind every answer."""
    handing_over.hand_over(None)
    wait_until(lambda: handed, seconds=30)
    assert handed == [[]]


def test_a_broker_that_hangs_does_not_fill_the_memory(
    handed: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "WAITING_AT_MOST", 3)
    for number in range(10):
        handing_over.hand_over(number)
    handing_over.now()
    wait_until(lambda: handed, seconds=30)
    assert handed == [[0, 1, 2]]


def test_what_is_forgotten_is_not_handed_over(handed: list[list[int]]) -> None:
    handing_over.hand_over(7)
    handing_over.forget()
    handing_over.hand_over(8)
    wait_until(lambda: handed, seconds=30)
    assert handed == [[8]]


def test_forgetting_waits_for_what_is_on_its_way(
    handed: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the broker would hold it after it was emptied."""
    taken, let_go = threading.Event(), threading.Event()

    def slowly(some: list[int]) -> None:
        taken.set()
        assert let_go.wait(30)
        handed.append(some)

    monkeypatch.setattr(tasks.send_system_mails, "delay", slowly)
    handing_over.hand_over(7)
    assert taken.wait(30)
    threading.Timer(0.2, let_go.set).start()
    handing_over.forget()
    assert handed == [[7]]


def test_what_waits_is_handed_over_when_the_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a process of its own, which ends before the moment has passed."""
    spawned = multiprocessing.get_context("fork")
    told = spawned.SimpleQueue()
    monkeypatch.setattr(tasks.send_system_mails, "delay", told.put)
    process = spawned.Process(target=handing_over.hand_over, args=(42,))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert told.get() == [42]


def test_one_mail_that_cannot_be_made_keeps_no_other_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[int] = []

    def send(system_mail_id: int) -> None:
        if system_mail_id == 2:
            raise RuntimeError("a template with a fault")
        sent.append(system_mail_id)

    monkeypatch.setattr(mail, "send_system_mail", send)
    tasks.send_system_mails([1, 2, 3])
    assert sent == [1, 3]
    assert "System mail 2 could not be sent" in caplog.text


def test_a_slow_relay_leaves_the_rest_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(mail, "send_system_mail", sent.append)
    monkeypatch.setattr(tasks, "ENOUGH", -1.0)
    tasks.send_system_mails([1, 2, 3])
    assert sent == []
