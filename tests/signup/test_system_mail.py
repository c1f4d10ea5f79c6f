"""System mail: one mail, the same bytes if it must go twice, and nothing that was typed."""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from newsletter.catalogue.models import Publisher
from newsletter.transports import memory
from newsletter.transports.errors import LineDown
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.values import Envelope, Outcome, Receipt
from signup import letter, mail, tasks
from signup.confirm import confirm
from signup.models import (
    ConsentEntry,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.preferences import request_link
from signup.privacy.erase import erase
from signup.suppress import suppress

Asking = Callable[..., SystemMail | None]
State = SystemMail.State


@pytest.fixture
def owed(ask: Asking) -> SystemMail:
    mail = ask()
    assert mail is not None
    return mail


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Receipt]]:
    """What the relay answers, one after the other; the last answer goes on."""
    answers: list[Receipt] = []

    def answer(_envelope: Envelope) -> Receipt:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(mail, "system_transport", lambda: MemoryTransport(answer))
    yield answers


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_confirmation_leaves_once(owed: SystemMail) -> None:
    mail.send_system_mail(owed.pk)
    mail.send_system_mail(owed.pk)
    assert len(memory.outbox) == 1
    owed.refresh_from_db()
    assert (owed.state, owed.attempt, owed.epoch) == ("accepted", 1, 1)
    assert owed.accepted_at is not None


def test_its_headers_are_right_on_the_wire(owed: SystemMail) -> None:
    mail.send_system_mail(owed.pk)
    (sent,) = memory.outbox
    assert sent.recipient == "ada@example.org"
    raw = sent.content
    head = raw.split(b"\r\n\r\n")[0]
    assert b"\r\nAuto-Submitted: auto-generated\r\n" in head
    assert b"\r\nTo: ada@example.org\r\n" in head
    assert b"From: Wellread <hello@wellread.example>" in head
    assert b"List-" not in head  # there is nothing yet that could be unsubscribed from
    assert b"\nCc:" not in head and b"\nBcc:" not in head
    for name in (b"Date:", b"Message-ID:", b"Subject:", b"From:", b"To:"):
        assert head.count(b"\r\n" + name) + head.startswith(name) == 1
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    message = parsed(raw)
    assert [child.get_content_type() for child in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_link_in_it_confirms(owed: SystemMail, kind: str, client: Any) -> None:
    mail.send_system_mail(owed.pk)
    body = part(parsed(memory.outbox[0].content), kind)
    links = set(re.findall(r"http://127\.0\.0\.1:8000(/confirm/[\w-]+/)", body))
    assert len(links) == 1
    assert client.post(links.pop()).status_code == 302
    assert Subscription.objects.live().count() == 2


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_it_says_what_to_do_and_what_if_it_was_not_you(owed: SystemMail, kind: str) -> None:
    mail.send_system_mail(owed.pk)
    body = part(parsed(memory.outbox[0].content), kind)
    assert "72 hours" in body
    assert "do nothing" in body
    assert "Wellread" in body
    assert "112" in body


def test_nothing_that_was_typed_stands_in_it(ask: Asking) -> None:
    owed = ask("ada+win-a-prize@example.org", first_name="Mallory")
    assert owed is not None
    mail.send_system_mail(owed.pk)
    message = parsed(memory.outbox[0].content)
    for body in (part(message, "plain"), part(message, "html"), str(message["Subject"])):
        for typed in ("Mallory", "prize", "Herniated", "Living Well", "example.org"):
            assert typed not in body


def test_html_is_a_document_that_mail_programs_and_readers_can_use(owed: SystemMail) -> None:
    mail.send_system_mail(owed.pk)
    html = part(parsed(memory.outbox[0].content), "html")
    assert re.search(r'<html[^>]*lang="en"', html)
    assert "<title>Please confirm your e-mail address</title>" in html
    assert html.count("<h1") == 1
    assert "<img" not in html
    assert "color-scheme" in html
    assert not re.search(r"src=|url\(|@import|<link", html)


def test_the_same_row_gives_the_same_bytes(owed: SystemMail) -> None:
    first = letter.envelope(owed)
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        again = SystemMail.objects.select_related("subscriber", "sign_up").get(pk=owed.pk)
        assert letter.envelope(again) == first


def test_a_late_mail_gives_its_link_no_longer_life(owed: SystemMail, client: Any) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=71)):
        link = letter.link(SystemMail.objects.get(pk=owed.pk))
        assert client.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert client.get(link).status_code == 410


def test_the_publishers_own_address_and_name_are_used(owed: SystemMail) -> None:
    Publisher.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Klinik am See, Zürich",
            "system_from_email": "anmeldung@klinik.example",
            "contact_email": "kontakt@klinik.example",
            "postal_address": "Seeweg 1\n8000 Zürich",
            "brand_colour": "#7A1F5C",
        },
    )
    mail.send_system_mail(owed.pk)
    (sent,) = memory.outbox
    message = parsed(sent.content)
    assert sent.sender == "anmeldung@klinik.example"
    assert "Klinik am See, Zürich" in str(message["From"])
    assert message["Reply-To"] == "kontakt@klinik.example"
    assert "Seeweg 1" in part(message, "plain")
    assert "#7A1F5C" in part(message, "html").upper()


def test_a_reader_who_gets_mail_already_is_asked_in_other_words(
    reader: Subscriber, ask: Asking
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        owed = ask()
        assert owed is not None
        mail.send_system_mail(owed.pk)
    assert parsed(memory.outbox[0].content)["Subject"] == "Please confirm your new choice"


def test_the_preferences_link_goes_by_mail(reader: Subscriber, client: Any) -> None:
    owed = request_link(address_key="ada@example.org")
    assert owed is not None
    mail.send_system_mail(owed.pk)
    body = part(parsed(memory.outbox[0].content), "plain")
    link = re.search(r"http://127\.0\.0\.1:8000(/preferences/[\w-]{40,}/)", body)
    assert link is not None
    assert "Herniated disk" in client.get(link[1]).content.decode()


# --- Outcomes -------------------------------------------------------------------------------------


def test_a_temporary_refusal_waits_in_the_row_and_longer_each_time(
    owed: SystemMail, relay: list[Receipt]
) -> None:
    relay.append(Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted"))
    waits = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(4):
            mail.send_system_mail(owed.pk)
            owed.refresh_from_db()
            assert owed.state == State.QUEUED
            assert owed.retry_at is not None
            waits.append(owed.retry_at - timezone.now())
            mail.send_system_mail(owed.pk)  # too early: nothing happens
            clock.move_to(owed.retry_at + timedelta(seconds=1))
        assert waits == sorted(set(waits))
        assert mail.sweep() == [owed.pk]
        relay[:] = [memory.OK]
        mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert (owed.state, owed.attempt) == ("accepted", 5)


def test_an_address_that_does_not_exist_is_refused_and_suppressed(
    owed: SystemMail, relay: list[Receipt]
) -> None:
    relay.append(Receipt(Outcome.PERMANENT, 550, "5.1.1", "no such user"))
    mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.REFUSED
    assert "5.1.1" in owed.reply
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE


def test_a_refusal_that_says_less_suppresses_nobody(owed: SystemMail, relay: list[Receipt]) -> None:
    relay.append(Receipt(Outcome.PERMANENT, 550, "5.1.6", "the mailbox has moved"))
    mail.send_system_mail(owed.pk)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "receipt",
    [
        Receipt(Outcome.PERMANENT, 552, "5.2.2", "mailbox full"),
        Receipt(Outcome.OURS, 550, "5.7.1", "not authenticated"),
    ],
)
def test_nobody_is_suppressed_for_what_is_not_the_address(
    owed: SystemMail, relay: list[Receipt], receipt: Receipt
) -> None:
    relay.append(receipt)
    mail.send_system_mail(owed.pk)
    assert not Suppression.objects.exists()


def test_what_is_our_fault_is_tried_again(owed: SystemMail, relay: list[Receipt]) -> None:
    relay.append(Receipt(Outcome.OURS, 550, "5.7.1", "not authenticated"))
    mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.QUEUED


def test_a_relay_that_is_away_costs_nothing(
    owed: SystemMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(MemoryTransport):
        def open(self) -> None:
            raise LineDown("nobody there")

    monkeypatch.setattr(mail, "system_transport", Away)
    mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.QUEUED
    assert owed.retry_at is not None
    assert owed.retry_at <= timezone.now() + timedelta(minutes=1)


def test_an_unknown_is_sent_once_more_with_the_same_bytes_and_never_again(
    owed: SystemMail, relay: list[Receipt]
) -> None:
    relay.append(Receipt(Outcome.UNKNOWN, None, "", "line lost"))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mail.send_system_mail(owed.pk)
        assert mail.sweep() == []
        clock.shift(timedelta(minutes=16))
        assert mail.sweep() == [owed.pk]
        mail.send_system_mail(owed.pk)
        clock.shift(timedelta(hours=2))
        assert mail.sweep() == []
    owed.refresh_from_db()
    assert (owed.state, owed.resent) == ("unknown", True)
    assert len(memory.outbox) == 2
    assert memory.outbox[0] == memory.outbox[1]


def test_a_worker_that_died_leaves_an_unknown_not_a_loss(owed: SystemMail) -> None:
    now = timezone.now()
    SystemMail.objects.update(state=State.HANDED, epoch=1, lease_until=now + mail.LEASE)
    assert mail.sweep() == []
    with time_machine.travel(now + timedelta(minutes=3), tick=False) as clock:
        mail.sweep()
        owed.refresh_from_db()
        assert owed.state == State.UNKNOWN
        clock.shift(timedelta(minutes=16))
        assert mail.sweep() == [owed.pk]
        mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.ACCEPTED


def test_a_worker_that_lost_its_lease_writes_nothing(
    owed: SystemMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stolen(_envelope: Envelope) -> Receipt:
        SystemMail.objects.update(epoch=9)
        return Receipt(Outcome.PERMANENT, 550, "5.2.1", "no")

    monkeypatch.setattr(mail, "system_transport", lambda: MemoryTransport(stolen))
    mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert (owed.state, owed.epoch) == ("handed", 9)


def test_a_task_that_got_lost_is_found(owed: SystemMail) -> None:
    assert mail.sweep() == []
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert mail.sweep() == [owed.pk]


def test_a_mail_nobody_could_send_in_time_expires(owed: SystemMail) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        mail.send_system_mail(owed.pk)
        assert mail.sweep() == []
    owed.refresh_from_db()
    assert owed.state == State.EXPIRED
    assert memory.outbox == []


def test_a_letter_that_cannot_be_written_is_given_back_and_said_loudly(
    owed: SystemMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_mail: SystemMail) -> Envelope:
        raise RuntimeError("template")

    monkeypatch.setattr(letter, "envelope", broken)
    with pytest.raises(RuntimeError):
        mail.send_system_mail(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.QUEUED
    assert memory.outbox == []


@pytest.mark.parametrize("then", ["erased", "confirmed", "complained"])
def test_a_mail_that_lost_its_reason_is_not_sent(owed: SystemMail, then: str) -> None:
    subscriber = Subscriber.objects.get()
    if then == "erased":
        erase(subscriber=subscriber, method=ConsentEntry.Method.STAFF, source="test")
    elif then == "confirmed":
        confirm(sign_up=SignUp.objects.get())
    else:
        suppress(subscriber=subscriber, reason=Suppression.Reason.COMPLAINT, source="test")
    mail.send_system_mail(owed.pk)
    assert memory.outbox == []


def test_a_confirmation_goes_out_past_an_older_suppression(ask: Asking) -> None:
    suppress(address_key="ada@example.org", reason=Suppression.Reason.COMPLAINT, source="test")
    owed = ask()
    assert owed is not None
    mail.send_system_mail(owed.pk)
    assert len(memory.outbox) == 1


def test_the_tasks_are_harmless_with_ids_that_mean_nothing(db: None) -> None:
    tasks.send_system_mails([])
    tasks.send_system_mails([987_654])
    tasks.sweep_system_mail()
    assert memory.outbox == []


def test_no_token_is_stored(owed: SystemMail) -> None:
    token = letter.link(owed).split("/")[-2]
    rows = str([list(model.objects.values()) for model in (SystemMail, SignUp, Subscriber)])
    assert token not in rows


@pytest.mark.parametrize("start", list(State))
def test_states_that_end_stay_ended(start: str) -> None:
    final = {State.ACCEPTED, State.REFUSED, State.EXPIRED}
    assert (SystemMail.TRANSITIONS[State(start)] == frozenset()) == (start in final)


def test_dates_are_those_of_asking(ask: Asking) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, 30, tzinfo=UTC), tick=False):
        owed = ask()
        assert owed is not None
        mail.send_system_mail(owed.pk)
    assert parsed(memory.outbox[0].content)["Date"] == "Sun, 22 Nov 2026 12:30:00 +0000"
