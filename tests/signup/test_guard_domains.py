"""Whether a domain takes mail: asked of name servers, which may be slow, broken or missing."""

import time
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.resolver
import pytest

from signup.guard import domains

Answers = dict[tuple[str, str], Any]


class FakeResolver:
    """Answers from a table; a name that is not in it does not exist."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    def resolve(self, name: str, kind: str, *, lifetime: float) -> Any:
        assert 0 < lifetime <= domains.WITHIN
        self.asked.append((name, kind))
        answer = self.answers.get((name, kind), dns.resolver.NXDOMAIN())
        if isinstance(answer, Exception):
            raise answer
        return dns.rrset.from_text(name, 60, "IN", kind, *answer)


@pytest.fixture
def ask(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Callable[[str, Answers], tuple[bool, FakeResolver]]:
    settings.SIGN_UP_LOOKS_UP_DOMAINS = True

    def asked(domain: str, answers: Answers) -> tuple[bool, FakeResolver]:
        fake = FakeResolver(answers)
        monkeypatch.setattr(domains, "_resolver", lambda: fake)
        return domains.takes_no_mail(domain), fake

    return asked


NOTHING = dns.resolver.NoAnswer.__new__(dns.resolver.NoAnswer)


@pytest.mark.parametrize(
    ("answers", "dead"),
    [
        ({("ada.test.", "MX"): ["10 mail.ada.test."]}, False),
        # RFC 7505: one lone dot.
        ({("ada.test.", "MX"): ["0 ."]}, True),
        # RFC 5321 section 5.1: without MX the address itself.
        ({("ada.test.", "MX"): NOTHING, ("ada.test.", "A"): ["192.0.2.1"]}, False),
        (
            {
                ("ada.test.", "MX"): NOTHING,
                ("ada.test.", "A"): NOTHING,
                ("ada.test.", "AAAA"): ["2001:db8::1"],
            },
            False,
        ),
        (
            {
                ("ada.test.", "MX"): NOTHING,
                ("ada.test.", "A"): NOTHING,
                ("ada.test.", "AAAA"): NOTHING,
            },
            True,
        ),
        ({}, True),
        # What cannot be known counts for the reader.
        ({("ada.test.", "MX"): dns.exception.Timeout()}, False),
        ({("ada.test.", "MX"): dns.resolver.NoNameservers()}, False),
        ({("ada.test.", "MX"): NOTHING, ("ada.test.", "A"): dns.exception.Timeout()}, False),
        ({("ada.test.", "MX"): OSError("no network")}, False),
    ],
)
def test_only_a_domain_that_is_certainly_dead_is_refused(
    ask: Callable[..., tuple[bool, FakeResolver]], answers: Answers, dead: bool
) -> None:
    assert ask("ada.test", answers)[0] is dead


@pytest.mark.parametrize("answers", [{}, {("ada.test.", "MX"): ["10 mail.ada.test."]}])
def test_a_domain_is_asked_for_once(
    ask: Callable[..., tuple[bool, FakeResolver]], answers: Answers
) -> None:
    first, _ = ask("ada.test", answers)
    again, fake = ask("ada.test", {})
    assert again is first
    assert not fake.asked


def test_the_answer_from_memory_takes_as_long_as_the_first(
    ask: Callable[..., tuple[bool, FakeResolver]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its speed would tell that somebody at this domain was here lately (invariant 13)."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    real = FakeResolver.resolve

    def slow(self: FakeResolver, *args: Any, **values: Any) -> Any:
        begun = time.monotonic()
        while time.monotonic() - begun < 0.05:
            pass
        return real(self, *args, **values)

    monkeypatch.setattr(FakeResolver, "resolve", slow)
    for _ in range(2):
        ask("ada.test", {("ada.test.", "MX"): ["10 mail.ada.test."]})
    assert len(slept) == 1
    assert 0.04 < slept[0] <= domains.WAITS_AT_MOST


def test_great_mail_houses_are_not_asked_for(
    ask: Callable[..., tuple[bool, FakeResolver]],
) -> None:
    dead, fake = ask("gmail.com", {})
    assert not dead
    assert not fake.asked


def test_no_more_than_two_wait_at_a_time(
    ask: Callable[..., tuple[bool, FakeResolver]],
) -> None:
    assert domains._at_once.acquire()
    assert domains._at_once.acquire()
    try:
        dead, fake = ask("ada.test", {})
    finally:
        domains._at_once.release()
        domains._at_once.release()
    assert not dead
    assert not fake.asked


def test_it_can_be_switched_off(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIGN_UP_LOOKS_UP_DOMAINS = False
    monkeypatch.setattr(domains, "_resolver", lambda: pytest.fail("asked"))
    assert not domains.takes_no_mail("ada.test")


def test_no_domain_stands_in_redis(
    ask: Callable[..., tuple[bool, FakeResolver]], valkey: Any
) -> None:
    ask("clinic.test", {("clinic.test.", "MX"): ["10 mail.clinic.test."]})
    assert valkey.keys("*")
    assert b"clinic" not in b" ".join(valkey.keys("*"))


@pytest.mark.parametrize(
    ("address", "flagged"),
    [
        ("a@mailinator.com", True),
        ("a@x.y.mailinator.com", True),
        ("a@notmailinator.com", False),
        ("a@example.org", False),
        ("a@com", False),
    ],
)
def test_throw_away_domains_are_known(address: str, flagged: bool) -> None:
    assert domains.is_disposable(address) is flagged
