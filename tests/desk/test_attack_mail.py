"""An attack on the sign-up form is mailed to the administrators: once, and without a reader."""

import smtplib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from newsletter import tasks
from newsletter.desk import attacks
from newsletter.desk.models import User
from signup.guard import attack_mode
from signup.guard.counters import Count
from signup.models import SignUpAlarm
from tests.desk import world

COUNT = Count(
    sign_ups=812, suspicious=40, proved=False, full=None, under_attack=True, to_be_told=True
)


def mailed_to() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


def test_administrators_are_mailed_once_for_the_whole_attack(desk: SimpleNamespace) -> None:
    tasks.tell_of_attacks()
    assert mail.outbox == []
    for _minute in range(3):
        attack_mode.tell(COUNT)
        tasks.tell_of_attacks()
    assert mailed_to() == ["admin@staff.example.org"]
    [message] = mail.outbox
    assert "812 sign-ups in a minute" in message.body
    assert "You need to do nothing" in message.body
    assert "/admin/" in message.body


def test_the_next_attack_is_told_anew(desk: SimpleNamespace) -> None:
    for _attack in range(2):
        attack_mode.tell(COUNT)
        tasks.tell_of_attacks()
        SignUpAlarm.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert mailed_to() == ["admin@staff.example.org"] * 2


def test_the_mail_names_no_reader_and_no_network(desk: SimpleNamespace) -> None:
    attack_mode.tell(COUNT)
    attacks.tell()
    [message] = mail.outbox
    text = message.subject + str(message.body)
    assert "@" not in text
    assert not any(part.count(".") == 3 for part in text.split() if "http" not in part)


def test_who_may_not_see_to_accounts_or_has_left_is_not_mailed(desk: SimpleNamespace) -> None:
    world.staff("root", "Authors", is_superuser=True)
    User.objects.filter(username="admin").update(is_active=False)
    world.staff("silent", "Administrators")
    User.objects.filter(username="silent").update(email="")
    attack_mode.tell(COUNT)
    attacks.tell()
    assert mailed_to() == ["root@staff.example.org"]


def test_a_relay_that_is_away_is_asked_again_and_nobody_twice(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.staff("second", "Administrators")

    def away(*_args: Any, **_named: Any) -> int:
        raise smtplib.SMTPException("away")

    attack_mode.tell(COUNT)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", away)
        assert attacks.tell() == 0
    assert SignUpAlarm.objects.get().told_at is None
    assert attacks.tell() == 2
    assert attacks.tell() == 0
    assert mailed_to() == ["admin@staff.example.org", "second@staff.example.org"]


def test_an_attack_that_is_over_is_no_news(desk: SimpleNamespace) -> None:
    attack_mode.tell(COUNT)
    SignUpAlarm.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert attacks.tell() == 0
    assert mail.outbox == []
