"""The guard: who is let in, who has to do a sum, who waits, and what is kept of it."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine

from signup import guard
from signup.guard import counters
from signup.guard.limits import folded
from signup.models import SignUpAlarm
from tests.signup.solving import solved

pytestmark = pytest.mark.django_db
Verdict = guard.Verdict
SLOW = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(minutes=1))
FAST = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(seconds=0))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def judged(address_key: str = "ada@example.org", **changes: Any) -> Verdict:
    values: dict[str, Any] = {"network": None, "token": SLOW, "trap": "", **changes}
    return guard.judge(address_key=address_key, **values)


@pytest.mark.parametrize(
    ("meta", "hops", "network"),
    [
        ({"REMOTE_ADDR": "8.8.8.8"}, 0, "8.8.8.0/24"),
        ({"REMOTE_ADDR": "2a00:1450:4001:81b::200e"}, 0, "2a00:1450:4001::/48"),
        ({"REMOTE_ADDR": "::ffff:8.8.8.8"}, 0, "8.8.8.0/24"),
        # A proxy that nobody told us about: to count it would lock everybody out.
        ({"REMOTE_ADDR": "127.0.0.1"}, 0, None),
        ({"REMOTE_ADDR": "10.1.2.3"}, 0, None),
        ({"REMOTE_ADDR": ""}, 0, None),
        ({}, 0, None),
        ({"REMOTE_ADDR": "not an address"}, 0, None),
        # What the client wrote itself is not believed.
        ({"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, 0, "8.8.8.0/24"),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 9.9.9.9"}, 1, "9.9.9.0/24"),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 9.9.9.9"}, 2, "1.1.1.0/24"),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "9.9.9.9"}, 2, None),
        ({"REMOTE_ADDR": "10.0.0.1"}, 1, None),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "\x00, <b>"}, 1, None),
    ],
)
def test_the_network_is_known_or_not_counted(
    settings: Any, meta: dict[str, object], hops: int, network: str | None
) -> None:
    settings.TRUSTED_PROXIES = hops
    assert guard.network_of(meta) == network


def test_speed_changes_no_verdict(settings: Any) -> None:
    settings.SIGN_UPS_UNPROVED_PER_NETWORK = 4
    for token, network in ((FAST, "8.8.8.0/24"), (SLOW, "9.9.9.0/24")):
        answers = [judged(f"r{n}@{network[0]}.org", network=network, token=token) for n in range(5)]
        assert answers == [Verdict.LET_IN] * 4 + [Verdict.PROVE_FIRST]


@pytest.mark.parametrize("name", ["SIGN_UPS_PER_DOMAIN", "SIGN_UPS_PER_HOUR"])
def test_domain_and_instance_have_limits(settings: Any, name: str) -> None:
    setattr(settings, name, 1)
    assert [judged(f"r{n}@example.org") for n in range(2)] == [Verdict.LET_IN, Verdict.TOO_MANY]


def test_one_flooded_network_leaves_the_others_their_measure(settings: Any) -> None:
    settings.SIGN_UPS_PER_NETWORK, settings.SIGN_UPS_PER_HOUR = 2, 3
    flood = [judged(f"r{n}@a.org", network="8.8.8.0/24") for n in range(20)]
    assert flood[2:] == [Verdict.TOO_MANY] * 18
    assert judged("else@b.org", network="9.9.9.0/24") is Verdict.LET_IN


def test_a_flood_at_one_victim_leaves_the_domain_its_measure(settings: Any) -> None:
    settings.SIGN_UPS_PER_DOMAIN = 10
    flood = [judged("victim@gmail.com") for _ in range(30)]
    assert flood == [Verdict.LET_IN] * 6 + [Verdict.ANSWER_ONLY] * 24
    assert judged("else@gmail.com") is Verdict.LET_IN


@pytest.mark.parametrize(
    ("key", "mailbox"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada+news@example.org", "ada@example.org"),
        ("a.da+x+y@gmail.com", "ada@gmail.com"),
        ("a.d.a@googlemail.com", "ada@gmail.com"),
        ("a.da@example.org", "a.da@example.org"),
        ("+@example.org", "+@example.org"),
        ("...@gmail.com", "...@gmail.com"),
    ],
)
def test_spellings_of_one_mailbox_are_counted_together(key: str, mailbox: str) -> None:
    assert folded(key) == mailbox


def test_a_mailbox_is_not_bombed_by_its_many_spellings() -> None:
    answers = [judged(f"victim+{n}@gmail.com") for n in range(20)]
    assert answers.count(Verdict.LET_IN) == 2
    assert set(answers[2:]) == {Verdict.ANSWER_ONLY}


# --- Proof of work --------------------------------------------------------------------------------


def test_who_proves_work_is_not_under_the_stricter_limit(settings: Any) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    assert judged() is Verdict.PROVE_FIRST
    assert judged(proof=solved()) is Verdict.LET_IN


def test_a_solution_is_good_once(settings: Any) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    proof = solved()
    assert [judged(proof=proof) for _ in range(2)] == [Verdict.LET_IN, Verdict.PROVE_FIRST]


def test_a_solution_is_good_for_half_an_hour(settings: Any) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    with time_machine.travel(NOON, tick=False) as clock:
        early, late = solved(), solved()
        clock.shift(timedelta(minutes=29))
        assert judged(proof=early) is Verdict.LET_IN
        clock.shift(timedelta(minutes=2))
        assert judged(proof=late) is Verdict.PROVE_FIRST


def test_after_redis_forgot_what_was_used_older_solutions_prove_nothing(
    settings: Any, valkey: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    with time_machine.travel(NOON, tick=False) as clock:
        used, unused = solved(), solved()
        assert judged(proof=used) is Verdict.LET_IN
        valkey.flushall()
        clock.shift(timedelta(seconds=1))
        fresh = solved()
        assert judged(proof=used) is Verdict.PROVE_FIRST
        assert judged(proof=unused) is Verdict.PROVE_FIRST
        assert judged(proof=fresh) is Verdict.LET_IN


def test_what_is_refused_uses_up_no_solution(settings: Any) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    proof = solved()
    assert judged(proof=proof, token=None) is Verdict.PRESS_AGAIN
    assert judged(proof=proof) is Verdict.LET_IN


# --- Attack mode ----------------------------------------------------------------------------------


@pytest.fixture
def _alarmed_easily(settings: Any) -> None:
    settings.SIGN_UP_ALARM_PER_MINUTE = 5
    settings.SIGN_UP_ALARM_MINUTES = 10


@pytest.mark.usefixtures("_alarmed_easily")
def test_attack_mode_begins_tells_and_ends_by_itself(
    caplog: pytest.LogCaptureFixture, valkey: Any
) -> None:
    for number in range(8):
        judged(f"r{number}@example.org", network=f"8.8.{number}.0/24", proof=solved())
    alarm = SignUpAlarm.objects.get()
    assert alarm.most_in_a_minute == 6
    assert [r.getMessage() for r in caplog.records if "attack mode has begun" in r.getMessage()]
    # It is Redis that forgets it: ten minutes after the last sign.
    assert 590 <= valkey.ttl("wellread:signup:attack") <= 600
    valkey.delete("wellread:signup:attack")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert judged("calm@example.org") is Verdict.LET_IN
        assert SignUpAlarm.objects.get().until < datetime.now(UTC)


@pytest.mark.usefixtures("_alarmed_easily")
def test_under_attack_those_without_proof_share_a_trickle() -> None:
    answers = [judged(f"r{n}@example.org", network=f"8.{n}.8.0/24") for n in range(80)]
    assert answers.count(Verdict.LET_IN) == 6 + 60
    assert set(answers[-14:]) == {Verdict.PROVE_FIRST}
    with_proof = judged("ada@example.org", network="9.9.9.0/24", proof=solved())
    assert with_proof is Verdict.LET_IN


@pytest.mark.usefixtures("_alarmed_easily")
def test_one_attack_is_one_row(valkey: Any) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _minute in range(4):
            for number in range(10):
                judged(f"r{number}@example.org")
            # Valkey's own clock does not travel.
            valkey.delete("wellread:signup:attack-told")
            clock.shift(timedelta(minutes=1))
    alarm = SignUpAlarm.objects.get()
    assert alarm.until == NOON + timedelta(minutes=13)


def test_many_sprung_traps_are_an_attack_too(settings: Any) -> None:
    settings.SIGN_UP_ALARM_SUSPICIOUS = 9
    for _ in range(4):
        assert judged(trap="https://spam.example") is Verdict.PRESS_AGAIN
    assert SignUpAlarm.objects.count() == 1


def test_a_throw_away_address_is_flagged_and_let_in(valkey: Any) -> None:
    assert judged("ada@mail.mailinator.com") is Verdict.LET_IN
    (key,) = valkey.keys("*suspicious*")
    assert valkey.get(key) == b"1"


# --- What is kept, and what happens without Redis -------------------------------------------------


def test_no_address_and_no_network_stands_in_redis(valkey: Any) -> None:
    judged("ada@example.org", network="8.8.8.0/24", proof=solved())
    keys = b" ".join(valkey.keys("*"))
    assert keys
    for telling in (b"ada@", b"example", b"8.8.8"):
        assert telling not in keys
    assert all(valkey.ttl(key) > 0 for key in valkey.keys("*"))


def test_one_attempt_is_one_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(proof=solved())  # loads the script
    sent: list[object] = []
    real = redis.Connection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **values: Any) -> Any:
        sent.append(command)
        return real(self, command, *args, **values)

    proof = solved()
    for kind in (redis.Connection, redis.UnixDomainSocketConnection):
        monkeypatch.setattr(kind, "send_packed_command", counted)
    assert judged(network="8.8.8.0/24", proof=proof) is Verdict.LET_IN
    assert len(sent) == 1


def test_without_redis_the_limits_are_open_and_nobody_waits_twice(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SIGN_UPS_PER_HOUR = settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    asked: list[int] = []

    def down() -> redis.Redis:
        asked.append(1)
        raise redis.ConnectionError("nobody there")

    monkeypatch.setattr(counters, "_client", down)
    monkeypatch.setattr(counters.Pause, "until", 0.0)
    with caplog.at_level(logging.WARNING):
        assert [judged() for _ in range(10)] == [Verdict.LET_IN] * 10
    assert len(asked) == 1
    assert "the sign-up limits are open" in caplog.text.lower()
