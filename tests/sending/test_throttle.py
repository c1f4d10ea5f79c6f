"""One number, messages a second, over all workers."""

import time

import pytest
import redis

from newsletter.sending import throttle
from newsletter.sending.throttle import take
from tests.sending.mailings import planned, run, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_clock():
    throttle._own.clear()
    throttle.client.cache_clear()


def test_without_a_rate_everything_may_go(settings):
    settings.SENDING_RATE = 0.0
    assert take("smtp", 500) == (500, 0.0)


def test_a_burst_is_half_a_second_and_then_the_rate_decides(settings):
    settings.SENDING_RATE = 20.0

    begun = time.monotonic()
    got = take("smtp", 500).messages
    assert got == 10
    while time.monotonic() - begun < 1.0:
        grant = take("smtp", 500)
        got += grant.messages
        if not grant.messages:
            assert 0 < grant.wait <= 0.1
            time.sleep(0.02)

    assert 25 <= got <= 32


def test_two_workers_share_one_bucket_and_two_transports_do_not(settings):
    settings.SENDING_RATE = 20.0

    assert take("smtp", 6).messages == 6
    assert take("smtp", 6).messages == 4
    assert take("esp-test", 6).messages == 6


def test_what_was_not_used_can_be_given_back_but_never_makes_a_burst(settings):
    settings.SENDING_RATE = 20.0
    assert take("smtp", 10).messages == 10
    throttle.give_back("smtp", 8)
    assert take("smtp", 10).messages == 8
    throttle.give_back("smtp", 500)
    assert take("smtp", 500).messages == 10


def test_a_mailing_keeps_to_the_rate(settings):
    settings.SENDING_RATE = 40.0
    mailing = planned(50)

    begun = time.monotonic()
    run()
    seconds = time.monotonic() - begun

    # Half a second's worth goes at once, the rest at the rate.
    assert seconds > (50 - 20) / 40 * 0.8
    assert states(mailing) == ["accepted"] * 50


def test_a_flushed_bucket_starts_again_with_one_chunk(settings, valkey):
    settings.SENDING_RATE = 20.0
    take("smtp", 500)
    valkey.flushall()

    assert take("smtp", 500).messages == 10


def test_a_rate_below_one_a_second_lets_one_go_at_a_time(settings):
    settings.SENDING_RATE = 0.2

    assert take("smtp", 10).messages == 1
    grant = take("smtp", 10)
    assert grant.messages == 0
    assert 4.0 < grant.wait <= 5.0


def test_without_redis_each_process_keeps_to_its_share(settings, monkeypatch):
    settings.SENDING_RATE = 40.0
    monkeypatch.setattr("os.cpu_count", lambda: 4)

    class Gone:
        def eval(self, *args):
            raise redis.ConnectionError("gone")

    monkeypatch.setattr(throttle, "client", lambda: Gone())

    assert take("smtp", 500).messages == 5
    grant = take("smtp", 500)
    assert grant.messages == 0
    assert 0 < grant.wait <= 0.1
