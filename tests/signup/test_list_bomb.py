"""A list bomb: strangers' addresses, signed up again and again from many networks, at small scale.

`python -m benchmarks.list_bomb` does the same at full scale, with real web processes.
"""

from collections import Counter
from typing import Any

import pytest
import redis
from django.test import Client

from signup.guard import counters
from signup.models import SignUpAlarm, Subscriber, SystemMail
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import filled_in
from tests.signup.solving import solved

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("catalogue")]

VICTIMS, NETWORKS, SIGN_UPS = 5, 20, 60


@pytest.fixture
def bombed(catalogue: Catalogue, settings: Any) -> Counter[int]:
    """60 sign-ups for 5 victims from 20 networks; how many answers had which status."""
    settings.SIGN_UP_ALARM_PER_MINUTE = 15
    settings.SIGN_UPS_UNPROVED_PER_NETWORK = 2
    attacker = Client()
    return Counter(
        attacker.post(
            "/sign-up/",
            filled_in(f"victim{number % VICTIMS}@example.org"),
            REMOTE_ADDR=f"8.8.{number % NETWORKS}.8",
        ).status_code
        for number in range(SIGN_UPS)
    )


def test_no_victim_gets_more_than_one_mail(bombed: Counter[int]) -> None:
    mails = Counter(SystemMail.objects.values_list("subscriber__email_key", flat=True))
    assert mails
    assert max(mails.values()) == 1
    assert len(mails) <= VICTIMS


def test_nothing_breaks_and_nothing_is_told_to_the_attacker(bombed: Counter[int]) -> None:
    assert set(bombed) <= {302, 429}
    assert bombed.total() == SIGN_UPS


def test_staff_are_told(bombed: Counter[int]) -> None:
    assert SignUpAlarm.objects.get().most_in_a_minute > 15


def test_the_log_says_it_once_and_not_for_every_attempt(
    caplog: pytest.LogCaptureFixture, bombed: Counter[int]
) -> None:
    assert bombed[429] > 0
    said = [record.getMessage() for record in caplog.get_records("setup")]
    assert len([line for line in said if "attack mode has begun" in line]) == 1
    assert not [line for line in said if "Too Many Requests" in line]


def test_a_reader_signs_up_in_the_middle_of_it(bombed: Counter[int], client: Client) -> None:
    """With a browser that does its sum, as every one does without its reader noticing."""
    values = filled_in("ada@example.org", proof_of_work=solved())
    assert client.post("/sign-up/", values, REMOTE_ADDR="9.9.9.9").status_code == 302
    assert Subscriber.objects.filter(email_key="ada@example.org").exists()
    assert SystemMail.objects.filter(subscriber__email_key="ada@example.org").count() == 1


def test_a_reader_without_script_still_has_a_way_in(bombed: Counter[int], client: Client) -> None:
    answer = client.post("/sign-up/", filled_in("ada@example.org"), REMOTE_ADDR="9.9.9.9")
    assert answer.status_code == 302
    assert SystemMail.objects.filter(subscriber__email_key="ada@example.org").count() == 1


def test_many_spellings_of_one_mailbox_are_one_victim(catalogue: Catalogue) -> None:
    attacker = Client()
    for number in range(30):
        attacker.post("/sign-up/", filled_in(f"victim+{number}@gmail.com"))
    assert SystemMail.objects.count() <= 2


def test_when_redis_is_away_each_victim_still_gets_one_mail(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> redis.Redis:
        raise redis.ConnectionError("nobody there")

    monkeypatch.setattr(counters, "_client", away)
    monkeypatch.setattr(counters.Pause, "until", 0.0)
    answers = _sign_up_many()
    assert set(answers) == {302}
    _one_mail_each()


def test_when_redis_is_flushed_in_the_middle_each_victim_still_gets_one_mail(
    catalogue: Catalogue, valkey: Any
) -> None:
    _sign_up_many()
    valkey.flushall()
    _sign_up_many()
    _one_mail_each()


def _sign_up_many() -> Counter[int]:
    attacker = Client()
    return Counter(
        attacker.post("/sign-up/", filled_in(f"victim{number % VICTIMS}@example.org")).status_code
        for number in range(4 * VICTIMS)
    )


def _one_mail_each() -> None:
    mails = Counter(SystemMail.objects.values_list("subscriber__email_key", flat=True))
    assert mails == dict.fromkeys((f"victim{number}@example.org" for number in range(VICTIMS)), 1)
