"""`make faults` must notice what it is there to notice: its judge, its relay, its tasks."""

import contextlib
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from celery.signals import after_task_publish

from benchmarks.faults.crew import Crew
from benchmarks.faults.relay import Relay, Taken
from benchmarks.faults.verdict import judge
from newsletter.management import test_mailing
from newsletter.sending.models import Batch, Delivery, Mailing

pytestmark = pytest.mark.once

BYTES = "0" * 64


class Written:
    """A relay that took what the test says."""

    def __init__(self, *taken: Taken) -> None:
        self._taken = taken

    def by_reader(self) -> dict[str, list[Taken]]:
        found: dict[str, list[Taken]] = {}
        for one in self._taken:
            found.setdefault(one.recipient, []).append(one)
        return found


def one_to(delivery: Delivery, *, at: float = 0.0, digest: str = BYTES) -> Taken:
    return Taken(at, delivery.subscriber.email, f"<{delivery.pk}@wellread.example>", digest)


@pytest.fixture
def sent(db: None) -> list[Delivery]:
    """Four readers, and books that say that all of them were mailed."""
    mailing = test_mailing.make(4)
    Delivery.objects.filter(mailing=mailing).update(state=Delivery.State.ACCEPTED)
    Batch.objects.filter(mailing=mailing).update(accepted=4, state=Batch.State.DONE)
    mailing.state, mailing.ended_at = Mailing.State.ENDED, mailing.created_at
    mailing.save()
    return list(Delivery.objects.filter(mailing=mailing).order_by("pk"))


def change(delivery: Delivery, **fields: object) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(**fields)


def test_a_mailing_that_everybody_has_once_breaks_no_promise(sent):
    found = judge(sent[0].mailing, Written(*map(one_to, sent)), {})
    assert found.promises_broken == []
    assert (found.planned, found.accepted, found.doubled) == (4, 4, 0)


def test_who_has_nothing_is_lost(sent):
    found = judge(sent[0].mailing, Written(*map(one_to, sent[1:])), {})
    assert found.promises_broken == ["lost: 1", "falsely accepted: 1"]


def test_who_has_two_for_no_reason_is_found(sent):
    found = judge(sent[0].mailing, Written(*map(one_to, [*sent, sent[0]])), {})
    assert "doubled without reason: 1" in found.promises_broken
    assert "1 doubled, but 0 unknown sent again" in found.promises_broken


def test_a_second_copy_of_an_unknown_must_be_the_same_to_the_byte(sent):
    change(sent[0], resent=True)
    copies = [*map(one_to, sent), one_to(sent[0])]
    assert judge(sent[0].mailing, Written(*copies), {}).promises_broken == []
    copies[-1] = one_to(sent[0], digest="1" * 64)
    found = judge(sent[0].mailing, Written(*copies), {})
    assert found.promises_broken == ["doubled with other bytes: 1"]


def test_three_are_never_explained(sent):
    change(sent[0], resent=True)
    copies = [*map(one_to, sent), one_to(sent[0]), one_to(sent[0])]
    found = judge(sent[0].mailing, Written(*copies), {})
    assert "doubled without reason: 1" in found.promises_broken


def test_mail_more_than_a_second_after_leaving_is_found(sent):
    left = {sent[0].subscriber.email: 100.0}
    early = [one_to(sent[0], at=100.9), *map(one_to, sent[1:])]
    assert judge(sent[0].mailing, Written(*early), left).promises_broken == []
    late = [one_to(sent[0], at=101.1), *map(one_to, sent[1:])]
    found = judge(sent[0].mailing, Written(*late), left)
    assert found.promises_broken == ["mailed after unsubscribe: 1"]


def test_who_left_while_the_copy_was_unknown_is_owed_nothing(sent):
    change(sent[0], state=Delivery.State.UNKNOWN)
    Batch.objects.filter(mailing=sent[0].mailing).update(accepted=3, unknown=1)
    rest, left = Written(*map(one_to, sent[1:])), {sent[0].subscriber.email: 100.0}
    assert judge(sent[0].mailing, rest, left).promises_broken == []
    assert judge(sent[0].mailing, rest, {}).promises_broken == ["lost: 1"]


def test_books_that_do_not_balance_are_found(sent):
    Batch.objects.filter(mailing=sent[0].mailing).update(accepted=3)
    found = judge(sent[0].mailing, Written(*map(one_to, sent)), {})
    assert found.promises_broken == ["out of balance: 1"]


def test_mail_to_who_was_skipped_or_never_planned_is_found(sent):
    change(sent[0], state=Delivery.State.SKIPPED)
    Batch.objects.filter(mailing=sent[0].mailing).update(accepted=3, skipped=1)
    stranger = Taken(0.0, "stranger@readers.example", "<1@x>", BYTES)
    found = judge(sent[0].mailing, Written(stranger, *map(one_to, sent)), {})
    assert "mailed though refused or skipped: 1" in found.promises_broken
    assert "1 who were not planned were mailed" in found.promises_broken


# --- The crew ---------------------------------------------------------------------------------


def test_who_ends_without_being_told_to_is_started_again(tmp_path):
    crew = Crew(tmp_path, {})
    crew._start("idler", [sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert crew.raise_the_fallen() == []
        crew.everybody[0].kill()
        assert crew.raise_the_fallen() == [str(tmp_path / "idler1.log")]
        assert [one.alive for one in crew.everybody] == [False, True]
        assert crew.raise_the_fallen() == []
    finally:
        crew.end()


# --- The tasks --------------------------------------------------------------------------------


def test_each_task_is_handed_over_exactly_twice(monkeypatch):
    from benchmarks.faults import twice

    # Importing it is what connects it, and other tests' tasks are to be handed over once.
    after_task_publish.disconnect(twice._once_more)
    handed = []
    publish = partial(twice._once_more, "newsletter.tasks.feed", routing_key="control")

    def send_task(name, args, kwargs, *, queue, headers):
        handed.append((name, args, kwargs, queue))
        publish(headers=headers, body=(args, kwargs, {}))

    monkeypatch.setattr(twice.app, "send_task", send_task)
    publish(headers={}, body=((7,), {}, {}))
    assert handed == [("newsletter.tasks.feed", (7,), {}, "control")]


# --- The relay --------------------------------------------------------------------------------


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path / "records")
    relay.start()
    yield relay
    relay.kill()


class Client:
    def __init__(self, relay: Relay) -> None:
        self.socket = socket.create_connection(("127.0.0.1", relay.port), 10)
        self.lines = self.socket.makefile("rb")
        assert self.reply().startswith(b"220")

    def reply(self) -> bytes:
        return self.lines.readline()

    def say(self, *commands: bytes) -> None:
        self.socket.sendall(b"".join(command + b"\r\n" for command in commands))

    def send(self, recipient: bytes, content: bytes = b"Message-ID: <1@x>\r\n\r\nHello") -> bytes:
        """Return the reply to the content, or to the first command that was refused."""
        self.say(b"MAIL FROM:<a@x.example>", b"RCPT TO:<" + recipient + b">", b"DATA")
        replies = [self.reply() for _ in range(3)]
        if not replies[2].startswith(b"354"):
            return next(reply for reply in replies if not reply.startswith(b"250"))
        self.say(content, b".")
        return self.reply()


def test_the_relay_has_written_a_message_down_before_it_says_so(relay: Relay):
    begun = time.monotonic()
    assert Client(relay).send(b"one@x.example").startswith(b"250")
    relay.kill()
    (taken,) = relay.taken
    assert (taken.recipient, taken.message_id) == ("one@x.example", "<1@x>")
    assert begun <= taken.at <= time.monotonic()


def test_the_relay_tells_bytes_apart_and_the_same_ones_together(relay: Relay):
    client = Client(relay)
    for content in (b"a\r\n..b", b"a\r\n..b", b"a\r\n..c"):
        assert client.send(b"one@x.example", content).startswith(b"250")
    digests = [one.digest for one in relay.taken]
    assert digests[0] == digests[1] != digests[2]


def test_the_relay_loses_an_answer_but_not_the_message(relay: Relay):
    relay.order(lose_answers=1)
    time.sleep(0.1)
    assert Client(relay).send(b"one@x.example") == b""
    assert Client(relay).send(b"two@x.example").startswith(b"250")
    assert [one.recipient for one in relay.taken] == ["one@x.example", "two@x.example"]


def test_the_relay_cuts_a_content_off_and_has_nothing(relay: Relay):
    relay.order(lose_contents=1)
    time.sleep(0.1)
    with contextlib.suppress(ConnectionError):  # of what we say then nobody hears
        assert Client(relay).send(b"one@x.example") == b""
    assert relay.taken == []


def test_the_relay_refuses_for_a_while_and_forgets(relay: Relay):
    relay.order(refuse=1.0)
    time.sleep(0.1)
    client = Client(relay)
    assert client.send(b"one@x.example").startswith(b"451")
    relay.order(refuse=0.0)
    time.sleep(0.1)
    client.say(b"RSET")
    assert client.reply().startswith(b"250")
    assert client.send(b"one@x.example").startswith(b"250")


def test_the_relay_comes_back_on_its_port_with_its_records(relay: Relay):
    Client(relay).send(b"one@x.example")
    relay.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port), 2)
    relay.start()
    Client(relay).send(b"two@x.example")
    assert len(relay.taken) == 2
