"""The bounce mailbox: what is written down leaves it, nothing is lost, staff hear of trouble."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from newsletter import tasks
from newsletter.outcomes.bounces import imap, mailbox, trouble
from newsletter.outcomes.bounces.mailbox import BadMailbox, Mailbox, read_mailbox
from newsletter.outcomes.checks import check_mailbox
from newsletter.outcomes.models import Event
from newsletter.sending.models import Alarm, Delivery
from tests.outcomes.bounce_mails import POSTFIX, VACATION, mail, status_report
from tests.outcomes.factories import live_reader, mailing_with
from tests.outcomes.imap_server import ImapServer
from tests.outcomes.test_taking_bounces import DOMAIN, return_path
from tests.transports import certificates

pytestmark = pytest.mark.django_db

ANOTHER = "bounce+1-1-aaaaaaaaaaaaaaaaaaaa@bounces.wellread.example"


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("imap"))


@pytest.fixture
def server(secured, settings, monkeypatch) -> Iterator[ImapServer]:
    settings.BOUNCE_DOMAIN = DOMAIN
    authority, context = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with ImapServer(context) as running:
        settings.BOUNCE_MAILBOX = running.url
        yield running


@pytest.fixture
def copy() -> Delivery:
    return mailing_with(live_reader(), state="accepted")


def bounce(copy: Delivery, raw: bytes = POSTFIX) -> bytes:
    return raw.replace(f"X-Original-To: {ANOTHER}".encode(),
                       f"X-Original-To: {return_path(copy)}".encode(), 1)  # fmt: skip


def flags(server: ImapServer) -> list[set[str]]:
    return [one.flags for one in server.kept]


def told() -> list[str]:
    """What staff would be told some minutes later."""
    now = timezone.now() + timedelta(minutes=6)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trouble.timezone, "now", lambda: now)
        return [one.text for one in trouble.troubles()]


def test_what_came_back_is_written_down_and_deleted(server, copy):
    other = mailing_with(live_reader(), state="accepted")
    server.put(bounce(copy), bounce(other, VACATION), bounce(other))
    assert read_mailbox(server.url) is False
    assert set(Event.objects.values_list("subscriber", "at")) == {
        (one.subscriber_id, datetime(2026, 11, 23, 3, tzinfo=UTC)) for one in (copy, other)
    }
    assert server.kept == []
    assert told() == []


def test_what_is_for_people_is_flagged_and_stays_and_is_read_once(server, copy):
    letter = bounce(copy, mail("From: Fay <fay@example.org>", "", "Please stop writing."))
    server.put(letter, POSTFIX)
    for _ in range(2):
        read_mailbox(server.url)
    assert flags(server) == [{"\\Flagged"}] * 2
    assert sum("FETCH" in line for line in server.lines) == 2
    assert not Event.objects.exists()


def test_who_is_killed_between_writing_down_and_deleting_loses_and_doubles_nothing(server, copy):
    server.put(bounce(copy))

    def killed(line: str) -> None:
        if "STORE" in line:
            raise ConnectionResetError

    server.script = killed
    read_mailbox(server.url)
    assert (Event.objects.count(), flags(server)) == (1, [set()])
    server.script = lambda line: None
    read_mailbox(server.url)
    assert (Event.objects.count(), server.kept) == (1, [])


def test_who_is_killed_before_the_folder_is_cleared_leaves_that_to_the_next(server, copy):
    server.put(bounce(copy))

    def killed(line: str) -> None:
        if line == "EXPUNGE":
            raise ConnectionResetError

    server.script = killed
    read_mailbox(server.url)
    assert flags(server) == [{"\\Deleted"}]
    server.script = lambda line: None
    read_mailbox(server.url)
    assert server.kept == []


def test_while_the_database_is_away_everything_stays_where_it_is(server, copy, monkeypatch):
    server.put(bounce(copy), POSTFIX)

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr(mailbox, "take", away)
        with pytest.raises(OperationalError):
            read_mailbox(server.url)
    assert flags(server) == [set(), set()]
    read_mailbox(server.url)
    assert Event.objects.count() == 1


def test_two_who_read_at_once_do_no_harm(server, copy):
    """One has the list of what waits; the other takes it all away."""
    server.put(bounce(copy))
    mails = list(server.kept)

    def other_was_faster(line: str) -> None:
        if "FETCH" in line:
            server.kept.clear()

    server.script = other_was_faster
    assert read_mailbox(server.url) is False
    assert (told(), len(mails)) == ([], 1)


def test_one_run_takes_its_share_and_says_that_there_is_more(server, copy, monkeypatch):
    monkeypatch.setattr(imap, "WINDOW", 2)
    server.put(*[bounce(copy)] * 5)
    assert read_mailbox(server.url, at_once=3) is True
    assert len(server.kept) == 2
    assert read_mailbox(server.url, at_once=3) is False
    assert server.kept == []


def test_a_slow_server_gets_no_more_than_its_time(server, copy):
    server.put(*[bounce(copy)] * 5)
    seconds = iter(range(0, 1000, 20))
    assert read_mailbox(server.url, clock=lambda: next(seconds)) is True
    assert 0 < len(server.kept) < 5


def test_a_mail_larger_than_any_report_is_read_in_its_first_part(server, copy):
    server.put(bounce(copy) + b"x" * 2_000_000)
    read_mailbox(server.url)
    assert (Event.objects.count(), server.kept) == (1, [])


def test_without_a_modern_way_to_log_in_the_old_one_is_taken(server, copy):
    server.plain = False
    server.put(bounce(copy))
    url = server.url.replace("p%22%C3%A4%5Css", "plain%20%22word%22")
    read_mailbox(url)
    assert server.kept == []


# --- Trouble --------------------------------------------------------------------------------------


def drop(line: str) -> None:
    raise ConnectionResetError


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (lambda line: b"NO [UNAVAILABLE] later" if "AUTH" in line else None, "later"),
        (lambda line: b"NO no" if "SELECT" in line else None, "no"),
        (lambda line: b"OK [READ-ONLY] fine" if "SELECT" in line else None, "not writable"),
        (lambda line: b"BAD what" if "SEARCH" in line else None, "what"),
        (lambda line: b"OK\r\n* SEARCH \xff\xfe" if "CAPAB" in line else None, ""),
        (lambda line: b"\xff\0 garbage" * 9 if "SEARCH" in line else None, ""),
        (drop, ""),
    ],
)  # fmt: skip
def test_whatever_is_wrong_staff_are_told_and_nobody_else_is_held_up(script, says, server, copy):
    server.put(bounce(copy))
    server.script = script
    assert read_mailbox(server.url) is False
    (text,) = told()
    assert says in text and "Reading it does not" not in text
    assert not Event.objects.exists() and flags(server) == [set()]
    server.script = lambda line: None
    read_mailbox(server.url)
    assert told() == []


def test_a_refused_login_tells_neither_password_nor_address(server, caplog):
    caplog.set_level("INFO")
    read_mailbox(server.url.replace("%5Css", "wrong"))
    (text,) = told()
    assert "wrong password" in text
    for words in (text, caplog.text):
        assert "ada" not in words and 'p"ä' not in words and "p%22" not in words


def test_a_server_that_hangs_is_left_after_its_patience(server, monkeypatch):
    hung = threading.Event()
    server.script = lambda line: hung.wait(10) and None
    monkeypatch.setattr(imap.Connection.__init__, "__kwdefaults__", {"patience": 0.1})
    read_mailbox(server.url)
    hung.set()
    (text,) = told()
    assert "timed out" in text


def test_a_server_that_promises_a_gigabyte_is_not_listened_to(server):
    server.put(POSTFIX)
    server.promised = 10**9
    read_mailbox(server.url)
    assert "more than was asked for" in told()[0]


def test_a_certificate_of_nobody_we_trust_is_refused(server, monkeypatch, tmp_path):
    stranger, _ = certificates.make(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger))
    read_mailbox(server.url)
    assert "certificate verify failed" in told()[0]
    assert server.lines == []


def test_a_certificate_for_another_name_is_refused(secured, server, tmp_path, monkeypatch):
    authority, context = certificates.make(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with ImapServer(context) as other:
        read_mailbox(other.url)
        assert other.lines == []
    assert "certificate" in told()[0]


def test_a_server_that_does_not_say_to_whom_mails_came_is_told_of(server, copy):
    server.put(status_report(top=("Return-Path: <>", "Received: by us")))
    read_mailbox(server.url)
    (text,) = told()
    assert "to which address" in text
    # An empty mailbox proves nothing; a mail that is told apart does.
    read_mailbox(server.url)
    assert len(told()) == 1
    server.put(bounce(copy))
    read_mailbox(server.url)
    assert told() == []


def test_who_is_killed_while_waiting_leaves_word_too(server, monkeypatch):
    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mailbox, "Connection", killed)
    with pytest.raises(KeyboardInterrupt):
        read_mailbox(server.url)
    assert told() == ["Reading it does not come to an end."]


def test_a_mail_server_that_starts_anew_is_no_alarm(server):
    server.script = drop
    read_mailbox(server.url)
    assert list(trouble.troubles()) == []


def test_the_alarm_begins_and_ends_with_the_others(server, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    server.script = drop
    tasks.read_bounces()
    tasks.watch()
    assert not Alarm.objects.exists()
    time_machine.shift(timedelta(minutes=6))
    tasks.read_bounces()
    tasks.watch()
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.about) == ("mailbox", server.mailbox.where)
    assert alarm.ended_at is None
    server.script = lambda line: None
    tasks.read_bounces()
    tasks.watch()
    assert Alarm.objects.get().ended_at is not None


def test_an_alarm_ends_when_the_mailbox_is_not_read_any_more(server, settings):
    server.script = drop
    read_mailbox(server.url)
    settings.BOUNCE_MAILBOX = ""
    assert told() == []


def test_without_the_setting_nothing_is_asked(settings, server):
    settings.BOUNCE_MAILBOX = ""
    tasks.read_bounces()
    assert server.connections == 0


def test_what_is_left_over_is_asked_for_at_once(server, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "read_mailbox", lambda url: True)
    monkeypatch.setattr(tasks.read_bounces, "delay", lambda: asked.append(1))
    tasks.read_bounces()
    assert asked == [1]


# --- The setting ----------------------------------------------------------------------------------


def test_how_a_mailbox_is_written():
    found = Mailbox.from_url("imaps://a%40b.example:p%2Fw@mail.example/Bounces%20here")
    assert found == Mailbox("mail.example", 993, "a@b.example", "Bounces here", "p/w")
    assert Mailbox.from_url("imaps://a:b@mail.example").folder == "INBOX"
    assert "p/w" not in repr(found)


WRONG = [
    "imap://user:hunter2@mail.example/INBOX",
    "https://user:hunter2@mail.example/INBOX",
    "imaps://mail.example/INBOX",
    "imaps://user@mail.example/INBOX",
    "imaps://user:hunter2@/INBOX",
    "imaps://user:hunter2@mail.example:x/INBOX",
    "imaps://user:hunter2@mail.example:70000/INBOX",
    "imaps://user:hunter2#x@mail.example/INBOX",
    "imaps://user:hunter2@mail.example/INBOX?tls=no",
    "imaps://user:hunter2%0d%0aX@mail.example/INBOX",
    "imaps://user:hunter2@mail.example/K%C3%B6rbe",
    "user:hunter2@mail.example",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_mailbox_that_cannot_be_meant_is_found_without_telling_its_password(url, settings):
    with pytest.raises(BadMailbox):
        Mailbox.from_url(url)
    settings.BOUNCE_MAILBOX, settings.BOUNCE_DOMAIN = url, DOMAIN
    (found,) = check_mailbox()
    assert found.id == "outcomes.E002"
    assert "hunter2" not in f"{found.msg}{found.hint}"


def test_a_mailbox_that_no_bounce_comes_to_is_found(settings):
    settings.BOUNCE_MAILBOX, settings.BOUNCE_DOMAIN = "imaps://a:b@mail.example/INBOX", ""
    assert [one.id for one in check_mailbox()] == ["outcomes.E003"]
    settings.BOUNCE_DOMAIN = DOMAIN
    assert check_mailbox() == []
    settings.BOUNCE_MAILBOX = settings.BOUNCE_DOMAIN = ""
    assert check_mailbox() == []
