"""A new domain or IP address: so many messages a day, and what is over goes tomorrow."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from newsletter.sending import warm_up
from newsletter.sending.deliver import deliver
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Mailing, SendingDay, WarmUp
from newsletter.transports import memory
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from signup.models import Subscription
from tests.digests.alerts import approved_article, sent
from tests.digests.factories import ConditionFactory, DigestNewsletterFactory, reader
from tests.sending.mailings import assert_balanced, claimed, planned, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_morning(time_machine):
    time_machine.move_to(datetime.fromisoformat("2026-11-23T09:00:00+00:00"), tick=False)
    return time_machine


def plan(caps: str, **fields) -> WarmUp:
    warm_up.forget()
    return WarmUp.objects.create(name="new address", caps=caps, **fields)


def next_day(time_machine) -> None:
    time_machine.shift(timedelta(days=1))
    warm_up.forget()


def test_without_a_plan_nothing_is_limited_or_counted():
    planned(12)
    run()

    assert len(memory.outbox) == 12
    assert not SendingDay.objects.exists()


def test_sending_stops_at_the_cap_and_goes_on_the_next_day(time_machine):
    plan("5 8 1000")
    mailing = planned(20)

    run()
    assert len(memory.outbox) == 5
    assert feed(timezone.now() + timedelta(minutes=5)) == []
    assert warm_up.today().left == 0
    next_day(time_machine)
    run()
    assert len(memory.outbox) == 5 + 8
    next_day(time_machine)
    run()

    mailing.refresh_from_db()
    assert (len(memory.outbox), mailing.state) == (20, "ended")
    assert_balanced(mailing)


def test_it_says_how_far_today_is_and_when_it_goes_on(settings):
    settings.TIME_ZONE = "America/New_York"
    plan("5 8")
    planned(20)
    run()

    today = warm_up.today()

    assert (today.taken, today.cap, today.tomorrow) == (5, 5, 8)
    assert today.goes_on_at.isoformat() == "2026-11-24T00:00:00-05:00"


def test_a_day_on_which_nothing_went_out_does_not_move_the_plan_on(time_machine):
    plan("5 8")
    for _ in range(6):
        next_day(time_machine)

    assert warm_up.today().cap == 5


def test_after_its_last_day_a_plan_limits_nothing(time_machine):
    plan("5")
    planned(20)
    run()
    next_day(time_machine)

    assert warm_up.today() is None
    run()
    assert len(memory.outbox) == 20


def test_a_plan_that_has_not_begun_limits_nothing():
    plan("5", begins_on=timezone.localdate() + timedelta(days=1))
    assert warm_up.take(500) == 500


def test_who_pauses_meanwhile_does_not_use_up_the_day():
    plan("5")
    planned(10)
    for subscription in Subscription.objects.order_by("pk")[:4]:
        Subscription.objects.filter(pk=subscription.pk).update(
            paused_until=timezone.now() + timedelta(days=9)
        )
    run()

    assert len(memory.outbox) == 5


def test_a_refusal_counts_because_the_relay_saw_it():
    plan("5")
    planned(10)
    run(MemoryTransport(lambda _: Receipt(Outcome.TEMPORARY, 451, "4.3.0", "later")))

    assert SendingDay.objects.get().taken == 5


def test_a_safety_alert_goes_today_and_is_counted():
    plan("5")
    planned(9)
    run()
    newsletter, condition = DigestNewsletterFactory(), ConditionFactory()
    for _ in range(7):
        reader(newsletter, condition)
    sent(approved_article(condition))
    alert = Mailing.objects.get(kind=Mailing.Kind.ALERT)

    deliver(claimed(alert), MemoryTransport())

    alert.refresh_from_db()
    assert alert.state == "ended"
    assert SendingDay.objects.get().taken == 5 + 7
    assert Batch.objects.exclude(mailing=alert).filter(state="ready").exists()


@pytest.mark.parametrize("caps", ["", "many", "500 -1", "0", "1.5", "٥"])
def test_a_plan_of_anything_but_whole_numbers_is_refused(caps):
    with pytest.raises(ValidationError):
        WarmUp(name="x", caps=caps).full_clean()
