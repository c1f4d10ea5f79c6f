"""The driver on real sockets: many lines, several relays, lost lines, aborting."""

import itertools
import random
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from newsletter.transports.errors import LineDown
from newsletter.transports.protocol import Answered, Outgoing, send_in_order
from newsletter.transports.relay import relays_from
from newsletter.transports.smtp import SmtpTransport, pool
from newsletter.transports.values import Envelope, Outcome, Receipt
from tests.running.processes import wait_until
from tests.transports.fault_server import FaultServer
from tests.transports.judging import judge, takes_every_message_over_eight
from tests.transports.messages import envelope
from tests.transports.pretended_relay import Fault
from tests.transports.table import saying
from tests.transports.test_storms import storm


def messages(count: int, octets: int = 200) -> list[Envelope]:
    body = b"x" * 70 + b"\r\n"
    return [
        envelope(f"reader-{number}@example.org", body * (octets // 72)) for number in range(count)
    ]


def send_all(transport: SmtpTransport, sent: list[Envelope]) -> dict[int, Receipt]:
    answers = list(transport.send(Outgoing(*pair) for pair in enumerate(sent)))
    assert len(answers) == len(sent)
    return dict(answers)


def transport_to(*servers: FaultServer, options: str = "timeout=10") -> SmtpTransport:
    return SmtpTransport(*relays_from(" ".join(server.url(options) for server in servers)))


# --- Many lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
def test_eight_lines_take_every_message_once(pipelining: bool):
    with FaultServer(pipelining=pipelining) as server:
        takes_every_message_over_eight(transport_to(server), server)


@pytest.mark.parametrize("lines", [1, 3])
def test_of_each_line_one_message_at_most_has_begun_and_is_not_answered(lines: int):
    """What a worker that is killed leaves unknown: the answers are heard before anything else."""
    open_ones: set[int] = set()
    most = 0

    def begins(key: int) -> None:
        nonlocal most
        open_ones.add(key)
        most = max(most, len(open_ones))

    with FaultServer() as server:
        transport = transport_to(server, options=f"timeout=10&lines={lines}")
        outgoing = (
            Outgoing(key, one, begins) for key, one in enumerate(messages(200, octets=20_000))
        )
        for key, _ in transport.send(outgoing):
            open_ones.remove(key)
        transport.close()

    assert most == lines


def test_poll_serves_where_there_is_no_epoll(monkeypatch):
    monkeypatch.setattr(pool, "_poller", select.poll)
    monkeypatch.setattr(pool, "_MILLISECOND", 1)
    sent = messages(60, octets=20_000)
    with FaultServer() as server:
        transport = transport_to(server)
        receipts = send_all(transport, sent)
        transport.close()

        judge(sent, receipts, server.book, drops=0)
        assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}


def test_a_few_messages_open_one_line_and_wait_for_nothing_else(monkeypatch):
    monkeypatch.setattr("newsletter.transports.smtp.driver.TICK", 5000)
    with FaultServer() as server:
        transport = transport_to(server)
        begun = time.monotonic()
        send_all(transport, messages(3))
        assert time.monotonic() - begun < 3
        assert server.connections == 1
        transport.close()


def test_lines_outlive_a_send():
    with FaultServer() as server:
        transport = transport_to(server)
        for _ in range(5):
            send_all(transport, messages(2))
        transport.close()

        assert server.connections == 1


def test_messages_larger_than_any_buffer_arrive_whole():
    sent = messages(4, octets=900_000)
    with FaultServer(offers=()) as server:
        transport = transport_to(server, options="lines=2&timeout=20")
        judge(sent, send_all(transport, sent), server.book, drops=0)
        transport.close()


def test_the_cap_of_messages_ends_a_line_politely():
    with FaultServer() as server:
        transport = transport_to(server, options="lines=1&messages=3&timeout=10")
        receipts = send_all(transport, messages(10))
        transport.close()

        assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}
        assert server.connections == 4
        assert len(server.book.committed) == 10


def test_a_line_that_the_relay_closed_between_two_sends_costs_nobody_anything():
    with FaultServer(says=[200]) as server:
        transport = transport_to(server)
        send_all(transport, messages(1))
        server.says = []
        for one in server._sockets:
            one.close()
        time.sleep(0.05)

        receipts = send_all(transport, messages(2))
        transport.close()

        assert [receipts[key].outcome for key in (0, 1)] == [Outcome.ACCEPTED] * 2


def test_an_idle_line_is_replaced(monkeypatch: pytest.MonkeyPatch):
    # Longer than a busy machine takes from opening a line to its first message.
    monkeypatch.setattr("newsletter.transports.smtp.line.LONGEST_IDLE", 0.3)
    with FaultServer() as server:
        transport = transport_to(server)
        send_all(transport, messages(1))
        time.sleep(0.4)
        send_all(transport, messages(1))
        transport.close()

        assert server.connections == 2
        # Both were told QUIT; the server counts it after its answer.
        wait_until(lambda: server.drops == 2)


def test_nothing_ready_lets_the_lines_go_on():
    """An answer comes although `outgoing` has nothing to give for a while."""
    with FaultServer() as server:
        transport = transport_to(server)
        answered: list[Answered] = []

        def outgoing() -> Iterator[Outgoing | None]:
            yield Outgoing(0, envelope())
            until = time.monotonic() + 5
            while not answered:
                assert time.monotonic() < until
                yield None
            yield Outgoing(1, envelope())

        for answer in transport.send(outgoing()):
            answered.append(answer)
        transport.close()

        assert [answer.key for answer in answered] == [0, 1]


# --- Lost lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["hears", "says"])
def test_a_socket_may_end_after_any_octet(direction: str):
    """Every few; tests/transports/test_lost_lines.py takes each of them without sockets."""
    sent = messages(2, octets=72)
    longest = 800 if direction == "hears" else 170
    seen: set[Outcome] = set()
    for after in range(0, longest, 13 if direction == "hears" else 3):
        with FaultServer(**{direction: [after]}) as server:
            transport = transport_to(server, options="lines=1&timeout=5")
            receipts = send_all(transport, sent)
            transport.close()
            judge(sent, receipts, server.book, drops=max(1, server.drops))
            assert server.connections <= 3
            seen |= {receipt.outcome for receipt in receipts.values()}
    assert seen == {Outcome.ACCEPTED, Outcome.UNKNOWN, Outcome.TEMPORARY}


@pytest.mark.parametrize("seed", range(6))
def test_a_storm_over_eight_lines(seed: int):
    chance = random.Random(seed)
    sent = messages(300)
    ends = [chance.randint(0, 3000) for _ in range(40)]
    with FaultServer(storm(seed, 0.03), hears=ends, eager=bool(seed % 2)) as server:
        transport = transport_to(server, options="timeout=5")
        receipts = send_all(transport, sent)
        transport.close()

        judge(sent, receipts, server.book, drops=server.drops)
        assert len(server.book.committed) > 20


def test_a_slow_drip_is_waited_for_and_not_forever():
    with FaultServer(drip=0.01) as server:
        patient = transport_to(server, options="timeout=5")
        assert send_all(patient, messages(1))[0].outcome is Outcome.ACCEPTED
        patient.close()
    with FaultServer(drip=0.2) as server:
        hasty = transport_to(server, options="timeout=0.5")
        begun = time.monotonic()
        receipt = send_all(hasty, messages(1))[0]

        assert receipt.outcome is Outcome.TEMPORARY
        assert time.monotonic() - begun < 3


def test_a_relay_that_answers_the_content_with_silence_leaves_it_unknown():
    with FaultServer(saying("FINAL", Fault.DROP, times=99)) as server:
        transport = transport_to(server, options="lines=2&timeout=5")
        receipts = send_all(transport, messages(20))
        transport.close()

        unknown = [one for one in receipts.values() if one.outcome is Outcome.UNKNOWN]
        # It is left alone before it has eaten the whole list.
        assert 1 <= len(unknown) <= 4
        assert all(
            one.about_the_line for one in receipts.values() if one.outcome is Outcome.TEMPORARY
        )


# --- Several relays -----------------------------------------------------------------------------


def test_two_relays_share_the_lines_by_weight():
    with FaultServer() as light, FaultServer() as heavy:
        urls = f"{light.url('lines=3&timeout=5')}, {heavy.url('lines=6&weight=2&timeout=5')}"
        transport = SmtpTransport(*relays_from(urls))
        assert transport.lines == 9
        receipts = send_all(transport, messages(400, octets=20_000))
        transport.close()

        assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}
        assert (light.most_open, heavy.most_open) == (3, 6)
        assert len(light.book.committed) + len(heavy.book.committed) == 400


def test_a_standby_is_used_only_while_the_first_is_away():
    with FaultServer() as standby:
        with FaultServer() as first:
            urls = f"{first.url()} {standby.url('priority=2&timeout=5')}"
            transport = SmtpTransport(*relays_from(urls))
            send_all(transport, messages(20))
            assert standby.connections == 0
            for one in first._sockets:
                one.close()
        time.sleep(0.05)

        receipts = send_all(transport, messages(5))
        transport.close()

        assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}
        assert len(standby.book.committed) == 5


def test_a_relay_that_says_421_to_a_fresh_line_is_left_alone_and_the_other_takes_over():
    with (
        FaultServer(saying("MAIL", b"421 4.7.0 too much", times=99)) as busy,
        FaultServer() as idle,
    ):
        transport = transport_to(busy, idle)
        receipts = send_all(transport, messages(50))
        transport.close()

        assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}
        assert len(idle.book.committed) == 50
        assert busy.connections <= 2


def test_a_relay_that_takes_the_connection_and_is_silent_holds_up_nobody(monkeypatch):
    """It may be so for five minutes (RFC 5321 section 4.5.3.2.1); the other takes over long before,
    also a standby."""
    monkeypatch.setattr(pool, "HEAD_START", 0.1)
    for options in ("timeout=60", "timeout=60&priority=2"):
        with socket.create_server(("127.0.0.1", 0)) as silent, FaultServer() as other:
            first = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
            transport = SmtpTransport(*relays_from(f"{first} {other.url(options)}"))
            begun = time.monotonic()
            receipts = send_all(transport, messages(3))
            assert time.monotonic() - begun < 5
            transport.close()

            assert {receipt.outcome for receipt in receipts.values()} == {Outcome.ACCEPTED}


def test_aborting_while_every_relay_is_silent_ends_a_send_at_once():
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        urls = " ".join(f"smtp://127.0.0.1:{each.getsockname()[1]}" for each in (one, two))
        transport = SmtpTransport(*relays_from(urls))
        threading.Timer(0.2, transport.abort).start()
        begun = time.monotonic()
        answers = list(transport.send([Outgoing(0, envelope())]))

        assert time.monotonic() - begun < 5
        assert all(answer.receipt.about_the_line for answer in answers)


def test_when_no_relay_is_there_the_rest_is_about_the_line_and_costs_no_waiting():
    with FaultServer() as server:
        url = server.url()
    transport = SmtpTransport(*relays_from(url))
    begun = time.monotonic()
    receipts = send_all(transport, messages(200))

    assert all(one.about_the_line for one in receipts.values())
    assert {one.outcome for one in receipts.values()} == {Outcome.TEMPORARY}
    assert time.monotonic() - begun < 2
    with pytest.raises(LineDown):
        transport.open()


# --- Breaking off -------------------------------------------------------------------------------


def test_aborting_from_another_thread_ends_a_send_that_waits():
    silent = threading.Event()

    def script(step: str, text: str) -> None:
        if step == "FINAL":
            silent.set()
            time.sleep(1.5)

    with FaultServer(script) as server:
        transport = transport_to(server, options="lines=1&timeout=30")
        threading.Thread(target=lambda: (silent.wait(5), transport.abort()), daemon=True).start()
        begun = time.monotonic()
        sent = itertools.count()
        answers = list(transport.send(Outgoing(next(sent), envelope()) for _ in range(5)))

        assert time.monotonic() - begun < 1.4
        found = [receipt.outcome for _, receipt in sorted(answers)]
        # The one whose content was out, and the one behind it; the others were never taken.
        assert found == [Outcome.UNKNOWN, Outcome.TEMPORARY]
        assert dict(answers)[1].about_the_line
        assert next(sent) == 2
        time.sleep(1.2)


def test_aborting_while_the_next_message_is_asked_for_writes_not_one_more_byte():
    with FaultServer() as server:
        transport = transport_to(server, options="lines=1&timeout=5")

        def outgoing() -> Iterator[Outgoing]:
            yield Outgoing(0, envelope("first@example.org"))
            transport.abort()
            yield Outgoing(1, envelope("second@example.org"))

        answers = dict(transport.send(outgoing()))
        time.sleep(0.1)

        assert answers.keys() == {0, 1}
        assert answers[1].outcome is Outcome.TEMPORARY and answers[1].about_the_line
        assert server.book.committed == []

        (receipt,) = send_in_order(transport, [envelope()])
        assert receipt.outcome is Outcome.ACCEPTED
        transport.close()


def test_an_error_before_the_content_stops_it():
    """The journal's disk is full: then the message must not go out unseen."""

    def full(key: int) -> None:
        raise OSError("no space left")

    with FaultServer() as server:
        transport = transport_to(server)
        with pytest.raises(OSError, match="no space"):
            list(transport.send([Outgoing(0, envelope(), full)]))
        time.sleep(0.05)

        assert server.book.committed == []
        assert send_in_order(transport, [envelope()])[0].outcome is Outcome.ACCEPTED
        transport.close()
