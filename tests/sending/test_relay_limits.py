"""Each relay keeps to a rate of its own and to a warm-up plan of its own."""

import time
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from newsletter.sending import throttle, warm_up
from newsletter.sending.deliver import Ending, deliver
from newsletter.sending.feed import feed
from newsletter.sending.models import SendingDay, WarmUp
from newsletter.sending.relay_limits import RelayMeter, meter_for
from newsletter.transports.errors import Misconfigured
from newsletter.transports.relay import Relay, relays_from
from newsletter.transports.smtp import SmtpTransport
from tests.sending.mailings import assert_balanced, claimed, planned, states
from tests.transports.fault_server import FaultServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    throttle._own.clear()
    throttle.client.cache_clear()
    warm_up.forget()
    yield
    warm_up.forget()


def relay(rate: float = 0, name: str = "relay.example") -> Relay:
    return Relay(name, 25, rate=rate)


def drain(meter: RelayMeter, of: Relay) -> int:
    """Use whatever it lets through just now."""
    used = 0
    while not meter.wait(of):
        meter.used(of)
        used += 1
    return used


def ways(*servers: FaultServer, options: str = "") -> SmtpTransport:
    urls = (server.url(f"timeout=10{options}") for server in servers)
    return SmtpTransport(*relays_from(" ".join(urls)))


def test_without_limits_nobody_is_asked():
    assert meter_for(SmtpTransport(relay()), alert=False) is None


def test_a_rate_is_kept_by_all_workers_together_and_for_each_relay_alone():
    one, another = RelayMeter(alert=False), RelayMeter(alert=False)
    slow, other = relay(20), relay(20, "other.example")

    # Half a second's worth at first, by fives.
    assert drain(one, slow) + drain(another, slow) in (10, 11)
    assert 0 < one.wait(slow) <= 0.1
    assert drain(one, other) in (10, 11)


def test_what_was_taken_and_not_used_goes_back():
    first = RelayMeter(alert=False)
    assert first.wait(relay(20)) == 0
    first.used(relay(20))

    first.close()

    assert drain(RelayMeter(alert=False), relay(20)) in (9, 10)


def test_a_mailing_keeps_to_the_rate_of_its_relay():
    mailing = planned(20)
    with FaultServer() as server:
        transport = ways(server, options="&rate=20")
        begun = time.monotonic()
        ending = deliver(claimed(mailing), transport)
        seconds = time.monotonic() - begun
        transport.close()

    assert ending == Ending.DONE
    assert states(mailing) == ["accepted"] * 20
    # Ten at once, the others a twentieth of a second apart.
    assert seconds >= 0.4


def test_a_relay_without_a_limit_takes_what_the_other_may_not():
    mailing = planned(30)
    with FaultServer() as slow, FaultServer() as fast:
        transport = SmtpTransport(
            *relays_from(f"{slow.url('timeout=10&rate=0.1')} {fast.url('timeout=10')}")
        )
        assert deliver(claimed(mailing), transport) == Ending.DONE
        transport.close()

        assert len(slow.book.committed) <= 1
        assert len(slow.book.committed) + len(fast.book.committed) == 30


def test_a_stand_in_is_no_way_round_a_limit():
    mailing = planned(5)
    with FaultServer() as first, FaultServer() as stand_in:
        transport = SmtpTransport(
            *relays_from(
                f"{first.url('timeout=10&rate=0.1')} {stand_in.url('timeout=10&priority=2')}"
            )
        )
        ending = deliver(claimed(mailing), transport)
        transport.close()

        assert ending == Ending.LINE_DOWN
        assert (len(first.book.committed), len(stand_in.book.committed)) == (1, 0)
    assert states(mailing) == ["accepted"] + ["queued"] * 4
    assert set(mailing.deliveries.values_list("attempt", flat=True)) == {0, 1}
    assert_balanced(mailing)


def test_a_new_address_warms_up_while_the_old_one_carries_the_rest(settings):
    mailing = planned(30)
    with FaultServer() as new, FaultServer() as old:
        transport = ways(new, old)
        new_name = transport.relays[0].where
        settings.EMAIL_URL = f"{new.url()} {old.url()}"
        WarmUp.objects.create(name="new address", relay=new_name, caps="4 8 1000")

        assert deliver(claimed(mailing), transport) == Ending.DONE
        transport.close()

        assert len(new.book.committed) == 4
        assert len(old.book.committed) == 26
    assert list(SendingDay.objects.values_list("relay", "taken")) == [(new_name, 4)]
    assert [(one.plan.relay, one.taken, one.cap) for one in warm_up.every_plan()] == [
        (new_name, 4, 4)
    ]
    # The old one may still carry something.
    assert not warm_up.is_used_up()


def test_a_relay_that_is_all_there_is_waits_for_tomorrow(settings):
    mailing = planned(6)
    with FaultServer() as server:
        transport = ways(server)
        settings.EMAIL_URL = server.url()
        WarmUp.objects.create(name="new", relay=transport.relays[0].where, caps="4 8 1000")

        assert deliver(claimed(mailing), transport) == Ending.LINE_DOWN
        transport.close()

    assert states(mailing) == ["accepted"] * 4 + ["queued"] * 2
    assert warm_up.is_used_up()
    assert feed(timezone.now() + timedelta(minutes=5), alerts=False) == []


def test_a_safety_alert_goes_beyond_a_relays_cap(settings):
    WarmUp.objects.create(name="new", relay="relay.example:25", caps="1 2")

    meter = RelayMeter(alert=True)
    for _ in range(3):
        assert meter.wait(relay()) == 0
        meter.used(relay())


def test_a_plan_names_a_relay_that_there_is(settings):
    settings.EMAIL_URL = "smtp://one.example:25?starttls=no smtp://two.example:25?starttls=no"
    WarmUp(name="new", relay="two.example:25", caps="1 2").full_clean()

    with pytest.raises(ValidationError, match=r"one\.example:25, two\.example:25"):
        WarmUp(name="new", relay="three.example:25", caps="1 2").full_clean()


@pytest.mark.parametrize("rate", ["0", "-1", "much", "0.01", "1e9"])
def test_a_rate_that_means_nothing_is_refused(rate):
    with pytest.raises(Misconfigured, match="messages a second"):
        Relay.from_url(f"smtp://relay.example?rate={rate}")
