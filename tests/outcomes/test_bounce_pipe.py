"""From a mail server's pipe to the row: what it hands over, and what it is told."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from newsletter.management.commands import take_bounce
from newsletter.outcomes.bounces.parts import head_of
from newsletter.outcomes.bounces.trace import has_null_return_path
from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import react
from newsletter.transports.protocol import Outgoing
from newsletter.transports.relay import Relay
from newsletter.transports.return_path import return_path_maker
from newsletter.transports.smtp import SmtpTransport
from newsletter.transports.values import Envelope
from signup.models import Suppression
from tests.outcomes.bounce_mails import POSTFIX, VACATION
from tests.outcomes.factories import live_reader, mailing_with
from tests.running import postfix
from tests.running.processes import ROOT
from tests.running.smtp import SmtpCatcher
from tests.transports.messages import content


@pytest.fixture
def piped(monkeypatch):
    """Run the command in this process with a mail on its standard input."""

    def run(raw: bytes, recipient: str) -> io.BytesIO:
        stream = io.BytesIO(raw)
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
        call_command("take_bounce", recipient)
        return stream

    return run


@pytest.fixture
def copy(db, settings):
    settings.BOUNCE_DOMAIN = postfix.PIPED
    return mailing_with(live_reader(), state="accepted")


def return_path(copy, settings) -> str:
    return return_path_maker(*settings.TOKEN_KEYS[0], postfix.PIPED)(copy.pk)


def test_a_bounce_is_taken_and_anything_else_ends_well_too(piped, copy, settings):
    piped(POSTFIX, return_path(copy, settings))
    for raw in (VACATION, b"", b"\xff\0" * 99):
        piped(raw, return_path(copy, settings))
        piped(raw, "ada@example.org")
    assert Event.objects.get().subscriber_id == copy.subscriber_id


def test_a_large_mail_is_read_to_its_end(piped, copy, settings):
    """A mail server that cannot write all of it may take that for a failure."""
    stream = piped(POSTFIX + b"x" * 3_000_000, return_path(copy, settings))
    assert stream.read() == b""
    assert Event.objects.count() == 1


def test_while_the_database_is_away_the_mail_server_keeps_it(piped, monkeypatch):
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not write <ada@example.org>")

    monkeypatch.setattr(take_bounce, "take", away)
    with pytest.raises(CommandError) as caught:
        piped(POSTFIX, "bounce@here.example")
    assert caught.value.returncode == os.EX_TEMPFAIL == 75
    assert "ada" not in str(caught.value)


def started(*args: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *args],
        input=POSTFIX.decode(), env={**os.environ, **env}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.once
def test_a_pipe_that_is_set_up_wrongly_bounces_nothing():
    """Any number but 75 would make a bounce of the bounce, which goes to nobody."""
    no_keys = started("take_bounce", "a@here.example", TOKEN_KEYS="")
    assert no_keys.returncode == 75 and "TOKEN_KEYS is not set" in no_keys.stderr
    no_code = started("take_bounce", "a@here.example", DJANGO_SETTINGS_MODULE="nowhere")
    assert no_code.returncode == 75 and "nowhere" in no_code.stderr
    # Whoever types another command gets what they always got.
    assert started("migrate", TOKEN_KEYS="").returncode == 1


@pytest.mark.once
@pytest.mark.processes
def test_a_pipe_without_a_recipient_keeps_the_mail_and_one_with_a_stranger_lets_it_go(tmp_path):
    assert started("take_bounce").returncode == 75
    away = f"sqlite:///{tmp_path}/nowhere/wellread.sqlite3"
    assert started("take_bounce", "a@here.example", DATABASE_URL=away).returncode == 0


@pytest.mark.once
@pytest.mark.processes
def test_what_postfix_hands_over_is_what_we_read(copy, piped, settings):
    """The lines of docs/outcomes.md, run: the next server refuses what Postfix had taken."""
    with SmtpCatcher() as catcher:
        catcher.refuse("RCPT", "550 5.1.1 nobody of that name")
        try:
            with postfix.running(catcher.port) as running:
                transport = SmtpTransport(Relay.from_url(f"smtp://127.0.0.1:{running.pipelined}"))
                sender = return_path(copy, settings)
                mail = Envelope(sender, "ada@example.org", content(b"About your back.\r\n"))
                list(transport.send([Outgoing(1, mail)]))
                transport.close()
                arguments, raw = wait_for(running.piped)
        except postfix.NoPostfix as error:
            pytest.skip(str(error))
    assert arguments == f"{sender}\n"
    assert has_null_return_path(head_of(raw)[0])

    piped(raw, arguments.strip())
    react()
    event = Event.objects.get()
    assert (event.kind, event.status, event.mailing_id) == ("bounced", "5.1.1", copy.mailing_id)
    assert "nobody of that name" in event.detail
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE


def wait_for(folder: Path) -> tuple[str, bytes]:
    deadline = time.monotonic() + 30
    while not (found := list(folder.glob("*.mail"))):
        assert time.monotonic() < deadline, "nothing was piped"
        time.sleep(0.05)
    (mail,) = found
    return mail.with_suffix(".arguments").read_text(), mail.read_bytes()
