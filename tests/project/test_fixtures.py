"""The ground that other tests stand on: Valkey, SMTP, workers and the database's way back."""

import os
import smtplib
import socket
import sys

import pytest
from django.db import connection

from newsletter.catalogue.models import ReleaseCounter
from tests.running import processes
from tests.running.smtp import SmtpCatcher


def test_valkey_is_real_and_empty(valkey):
    assert valkey.info()["valkey_version"]
    assert valkey.dbsize() == 0
    valkey.set("left", "behind")


def test_valkey_is_empty_again(valkey):
    assert valkey.dbsize() == 0


def test_the_catcher_keeps_the_bytes_of_the_wire(smtp_catcher: SmtpCatcher):
    with smtplib.SMTP("127.0.0.1", smtp_catcher.port) as client:
        client.sendmail("a@example.org", ["b@example.org"], b"Subject: x\r\n\r\n.dot\r\n")
    (caught,) = smtp_catcher.wait_for(to="b@example.org")
    assert caught.content == b"Subject: x\r\n\r\n.dot\r\n"
    assert caught.wire == b"Subject: x\r\n\r\n..dot\r\n"
    assert (caught.sender, caught.recipient) == ("a@example.org", "b@example.org")


def test_the_catcher_refuses_one_recipient(smtp_catcher: SmtpCatcher):
    smtp_catcher.refuse("RCPT", "550 5.1.1 nobody", when="gone@")
    with (
        smtplib.SMTP("127.0.0.1", smtp_catcher.port) as client,
        pytest.raises(smtplib.SMTPRecipientsRefused),
    ):
        client.sendmail("a@example.org", ["gone@example.org"], b"x")
    assert smtp_catcher.messages == []


def test_the_catcher_drops_the_line_inside_the_content(smtp_catcher: SmtpCatcher):
    smtp_catcher.drop("CONTENT", after_bytes=10)
    client = smtplib.SMTP("127.0.0.1", smtp_catcher.port)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        client.sendmail("a@example.org", ["b@example.org"], b"Subject: x\r\n\r\n" + b"y" * 90_000)
    client.close()
    assert smtp_catcher.messages == []


def test_the_catcher_answers_pipelined_groups_in_order(smtp_catcher: SmtpCatcher):
    group = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", smtp_catcher.port)) as line:
        line.sendall(b"EHLO me\r\n" + group)
        line.sendall(b"one\r\n.\r\n" + group + b"two\r\n.\r\nQUIT\r\n")
        replies = line.makefile("rb").read().split(b"\r\n")
    assert [reply[:3] for reply in replies if reply[3:4] == b" "] == [
        b"220", b"250", b"250", b"250", b"354", b"250", b"250", b"250", b"354", b"250", b"221",
    ]  # fmt: skip
    assert [caught.content for caught in smtp_catcher.messages] == [b"one\r\n", b"two\r\n"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_committed_is_gone_and_what_migrations_wrote_is_back(turn):
    from wagtail.models import Collection

    assert ReleaseCounter.current() == 0
    assert Collection.objects.filter(depth=1).exists()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_releasecounter SET value = 7")
    ReleaseCounter.objects.get_or_create(pk=1, defaults={"value": 7})
    Collection.objects.all().delete()


@pytest.mark.processes
def test_a_worker_is_a_real_process_that_can_be_killed(start_worker):
    worker = start_worker("control")
    assert len(worker.family()) >= 2
    worker.kill()
    assert not worker.alive


@pytest.mark.once
def test_a_child_has_said_nothing_yet_though_one_before_it_wrote_to_the_same_log(tmp_path):
    for word in ("first", "second"):
        child = processes.start(
            word, [sys.executable, "-c", f"print({word!r})"], log=tmp_path / "log", env=os.environ
        )
        assert child.process.wait(30) == 0
        assert child.output == f"{word}\n"
