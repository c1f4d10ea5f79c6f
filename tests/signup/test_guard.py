"""Which network a request came from, and what that is worth behind a proxy."""

from datetime import timedelta
from typing import Any

import pytest

from signup import guard


@pytest.mark.parametrize(
    ("meta", "hops", "network"),
    [
        ({"REMOTE_ADDR": "8.8.8.8"}, 0, "8.8.8.0/24"),
        ({"REMOTE_ADDR": "2a00:1450:4001:81b::200e"}, 0, "2a00:1450:4001:800::/56"),
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


def test_being_fast_counts_for_more_and_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PER_NETWORK", guard.Limit(6, timedelta(hours=1)))
    fast = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(seconds=1))
    slow = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(minutes=1))

    def verdicts(token: guard.FormToken, network: str) -> list[guard.Verdict]:
        return [
            guard.judge(address_key=f"r{n}@{network}.org", network=network, token=token, trap="")
            for n in range(4)
        ]

    let_in, too_many = guard.Verdict.LET_IN, guard.Verdict.TOO_MANY
    assert verdicts(fast, "a") == [let_in, let_in, too_many, too_many]
    assert verdicts(slow, "b") == [let_in] * 4


@pytest.mark.parametrize("limit", ["PER_DOMAIN", "PER_INSTANCE"])
def test_domain_and_instance_have_limits(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(guard, limit, guard.Limit(1, timedelta(hours=1)))
    token = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(minutes=1))
    answers = [
        guard.judge(address_key=f"r{n}@example.org", network=None, token=token, trap="")
        for n in range(2)
    ]
    assert answers == [guard.Verdict.LET_IN, guard.Verdict.TOO_MANY]


def test_no_address_and_no_network_stands_in_the_cache(valkey: Any) -> None:
    token = guard.FormToken(guard.Place.SIGN_UP_PAGE, (), timedelta(minutes=1))
    guard.judge(address_key="ada@example.org", network="8.8.8.0/24", token=token, trap="")
    keys = b" ".join(valkey.keys("*"))
    assert keys
    for telling in (b"ada@", b"example", b"8.8.8"):
        assert telling not in keys
    assert all(valkey.ttl(key) > 0 for key in valkey.keys("*"))
