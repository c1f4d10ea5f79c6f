"""Alarms: told once when something begins, once when it is over, on two ways that fail apart."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.utils import timezone

from newsletter.desk.people import administrators
from newsletter.sending import control, news, sightings
from newsletter.sending.alarms import watch
from newsletter.sending.models import Alarm, Batch, Mailing
from newsletter.tasks import watch as watch_task
from newsletter.transports.protocol import WayState
from tests.desk import world
from tests.sending.mailings import planned, run

pytestmark = pytest.mark.django_db

NOW = timezone.now()


class Hook:
    """A server of the operator's own, which answers as it is told."""

    def __init__(self) -> None:
        self.status, self.headers, self.got = 204, {}, []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.got.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(hook.status)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/secret"


@pytest.fixture
def hook(settings) -> Iterator[Hook]:
    hook = Hook()
    settings.ALERT_WEBHOOK_URL = hook.url
    thread = threading.Thread(target=hook.server.serve_forever, daemon=True)
    thread.start()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()
    thread.join()


@pytest.fixture
def admin():
    return world.staff("admin")


@pytest.fixture
def stopped() -> Mailing:
    mailing = planned(2)
    Mailing.objects.update(state=Mailing.State.PAUSED, trouble="535 5.7.8 wrong password")
    return mailing


def kinds() -> list[tuple[str, bool]]:
    return [(one.kind, one.ended_at is None) for one in Alarm.objects.order_by("pk")]


def test_nothing_wrong_nobody_told(hook, admin):
    planned(2)
    run()
    watch_task()
    assert (kinds(), mail.outbox, hook.got) == ([], [], [])


def test_a_mailing_that_stopped_by_itself_is_told_once_on_both_ways(stopped, hook, admin):
    for _ in range(3):
        watch_task()

    (letter,) = mail.outbox
    assert letter.to == [admin.email]
    assert "wrong password" in letter.body
    assert f"/admin/mailings/{stopped.pk}/\n" in letter.body
    ((path, said),) = hook.got
    assert path == "/secret"
    assert (said["event"], said["kind"], said["about"]) == (
        "began", "stopped", f"mailing {stopped.pk}",
    )  # fmt: skip


def test_its_end_is_told_once_too(stopped, hook, admin):
    watch_task()
    Mailing.objects.update(state=Mailing.State.SENDING, trouble="")
    for _ in range(3):
        watch_task()

    assert [said["event"] for _, said in hook.got] == ["began", "over"]
    assert len({said["id"] for _, said in hook.got}) == 2
    assert [letter.subject.partition(":")[0] for letter in mail.outbox] == ["Alarm", "Over"]


def test_a_second_episode_is_told_anew(stopped, hook, admin):
    watch_task()
    Mailing.objects.update(state=Mailing.State.SENDING)
    watch_task()
    Mailing.objects.update(state=Mailing.State.PAUSED)
    watch_task()

    assert [said["event"] for _, said in hook.got] == ["began", "over", "began"]


def test_one_way_that_fails_is_tried_again_and_does_not_hold_up_the_other(stopped, hook, admin):
    hook.status = 503
    watch_task()
    watch_task()
    assert (len(mail.outbox), len(hook.got)) == (1, 2)
    hook.status = 204
    watch_task()
    watch_task()

    assert (len(mail.outbox), len(hook.got)) == (1, 3)


def test_a_hook_that_fails_is_left_alone_until_the_next_look(hook, admin):
    """Each try may take ten seconds of a process that has workers to feed."""
    for host in ("one", "two", "three"):
        sightings.tell(f"{host}:1", [], "disk full")
    hook.status = 500
    watch_task()
    assert (len(mail.outbox), len(hook.got)) == (3, 1)

    hook.status = 204
    watch_task()
    watch_task()

    assert (len(mail.outbox), len(hook.got)) == (3, 4)


@pytest.mark.parametrize("answer", [[b"what?\r\n\r\n"], [b"X"] * 60])
def test_a_hook_that_speaks_no_http_or_drips_is_one_that_failed(
    stopped, settings, admin, monkeypatch, answer
):
    """A drip resets every timeout, and would keep the process that feeds the workers for ever."""
    monkeypatch.setattr(news, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def drip() -> None:
            line, _ = server.accept()
            with line, contextlib.suppress(OSError):
                line.recv(10_000)
                for octets in answer:
                    line.sendall(octets)
                    time.sleep(0.05)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        begun = time.monotonic()
        watch_task()
        took = time.monotonic() - begun
        thread.join(5)

    assert took < 2
    assert Alarm.objects.get().posted_at is None
    assert len(mail.outbox) == 1


def test_the_hook_is_told_although_no_relay_takes_mail(stopped, hook, admin, monkeypatch):
    def down(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr(news, "send_mail", down)
    watch_task()

    assert len(hook.got) == 1
    assert Alarm.objects.get().mailed_at is None


@pytest.mark.parametrize("spoilt", ["way out", "address"])
def test_the_hook_is_told_although_no_mail_can_be_made(stopped, hook, admin, settings, spoilt):
    settings.EMAIL_BACKEND = "newsletter.transports.django_mail.EmailBackend"
    if spoilt == "way out":
        settings.EMAIL_URL = "smtp://relay.example:25?starttls=perhaps"
    else:
        type(admin).objects.update(email="no one@staff.example.org")
    watch_task()

    assert len(hook.got) == 1
    assert Alarm.objects.get().mailed_at is None


def test_redirects_are_not_followed(stopped, hook, admin, caplog):
    hook.status, hook.headers = 302, {"Location": f"{hook.url}/elsewhere"}
    watch_task()

    assert [path for path, _ in hook.got] == ["/secret"]
    assert Alarm.objects.get().posted_at is None
    # For many services the address is the key.
    assert "/secret" not in caplog.text


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://10.0.0.7/alarms", True),
        ("http://127.0.0.1:9000/", True),
        ("http://[::1]/", True),
        ("http://10.0.0.7/", False),
        ("http://localhost.evil.example/", False),
        ("file:///etc/passwd", False),
        ("https://", False),
    ],
)
def test_only_https_or_this_machine_is_told(url, may):
    assert news.may_be_told(url) is may


def test_no_reader_is_named(hook, admin):
    from newsletter.sending.control import stop_for_trouble

    mailing = planned(1)
    stop_for_trouble(mailing.pk, "550 5.7.1 <reader0@wellread.example> blocked")
    watch_task()

    assert "reader0" not in json.dumps(hook.got) + mail.outbox[0].body


def test_a_mailing_that_does_not_move_is_noticed_after_some_minutes():
    planned(2)
    assert watch(NOW) == []
    assert watch(NOW + timedelta(minutes=9)) == []
    (alarm,) = watch(NOW + timedelta(minutes=11))
    assert alarm.kind == "stalled"
    run()
    watch(NOW + timedelta(minutes=12))
    assert kinds() == [("stalled", False)]


def test_progress_sets_the_clock_back():
    planned(2)
    watch(NOW)
    Batch.objects.update(accepted=1)
    watch(NOW + timedelta(minutes=9))
    assert watch(NOW + timedelta(minutes=15)) == []


def test_a_mailing_that_only_waits_for_its_retries_does_not_stall():
    planned(2)
    Batch.objects.update(not_before=NOW + timedelta(days=1))
    watch(NOW)
    assert watch(NOW + timedelta(hours=3)) == []


def test_a_small_mailing_that_waits_for_its_relay_again_and_again_stalls():
    """All there is of it rests for half a minute after each try, and is never due when we look."""
    planned(2)
    for minutes in range(12):
        at = NOW + timedelta(minutes=minutes)
        Batch.objects.update(not_before=at + timedelta(seconds=20))
        watch(at)
    assert kinds() == [("stalled", True)]


def test_a_plan_that_does_not_get_on_stalls_too():
    """Its task fails again and again: staff would read "Making the list of readers" for ever."""
    mailing = planned(2)
    Mailing.objects.update(state=Mailing.State.PLANNING)
    watch(NOW)
    Mailing.objects.update(planned_upto=mailing.planned_upto + 500)
    assert watch(NOW + timedelta(minutes=9)) == []
    assert watch(NOW + timedelta(minutes=18)) == []

    (alarm,) = watch(NOW + timedelta(minutes=20))

    assert alarm.kind == "stalled"
    assert "list of readers" in alarm.text


def test_a_mailing_that_waits_for_the_turn_of_a_slowed_domain_does_not_stall():
    planned(2)
    for minutes in range(12):
        at = NOW + timedelta(minutes=minutes)
        Batch.objects.update(domain="slow.example", not_before=at + timedelta(seconds=20))
        watch(at)
    assert kinds() == []


def test_a_relay_is_down_when_nobody_has_a_line_to_it():
    away = WayState("relay:25", 0, 8.0, "connection refused")
    sightings.tell("host:1", [away, WayState("other:25", 2)])
    sightings.tell("host:2", [WayState("relay:25", 1), WayState("other:25", 2)])
    assert watch() == []

    sightings.tell("host:2", [away])
    watch()
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.about, alarm.text) == ("relay", "relay:25", "connection refused")
    sightings.tell("host:1", [WayState("relay:25", 3)])
    watch()
    assert kinds() == [("relay", False)]


def test_that_nobody_tries_a_relay_any_more_is_no_all_clear(time_machine, settings):
    """The mailing was cancelled for it, so nothing is heard of the relay while it is still down."""
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    time_machine.move_to(NOW, tick=False)
    sightings.tell("host:1", [WayState("127.0.0.1:25", 0, 8.0, "refused")], "disk full")
    watch()
    assert kinds() == [("relay", True), ("journal", True)]

    time_machine.shift(timedelta(minutes=10))
    watch()
    assert kinds() == [("relay", True), ("journal", True)]
    time_machine.shift(timedelta(minutes=10))
    watch()
    assert kinds() == [("relay", True), ("journal", False)]
    settings.EMAIL_URL = "smtp://127.0.0.1:2525"
    watch()
    assert kinds() == [("relay", False), ("journal", False)]


def test_an_hours_pause_is_no_hour_without_progress():
    mailing = planned(2)
    watch(NOW)
    control.pause(mailing=mailing)
    watch(NOW + timedelta(minutes=1))
    control.resume(mailing=mailing)

    assert watch(NOW + timedelta(hours=1)) == []
    assert watch(NOW + timedelta(hours=1, minutes=11)) != []


def test_a_journal_that_cannot_be_written_is_told():
    sightings.tell("host:1", [], "no space left on device")
    watch()
    assert kinds() == [("journal", True)]
    sightings.tell("host:1", [], "")
    watch()
    assert kinds() == [("journal", False)]


def test_a_worker_that_is_gone_says_nothing_any_more(time_machine):
    time_machine.move_to(NOW, tick=False)
    sightings.tell("host:1", [WayState("relay:25", 0, 8.0, "refused")])
    time_machine.shift(timedelta(minutes=5))
    assert watch() == []
    time_machine.shift(timedelta(minutes=20))
    assert sightings.sightings() == []


def test_only_active_administrators_are_told():
    for role in ("author", "sender", "admin"):
        world.staff(role)
    world.staff("gone", "Administrators", is_active=False)
    assert administrators() == ["admin@staff.example.org"]
