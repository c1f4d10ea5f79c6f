"""Digests and what readers do with signup's own verbs: leaving, undoing, pausing, another hour."""

from datetime import date, timedelta

import pytest
import time_machine

from newsletter.sending import digest_run
from newsletter.sending.models import Delivery, DigestMark
from signup import preferences, unsubscribe
from signup.models import ConsentEntry, Subscription
from tests.digests import factories
from tests.digests.factories import reader, released, utc

pytestmark = pytest.mark.django_db

SUNDAY = utc(2026, 11, 22, 12)
MONDAY = utc(2026, 11, 23, 8)
WEEK = timedelta(days=7)


@pytest.fixture
def back():
    return factories.ConditionFactory()


@pytest.fixture
def subscription(back):
    """A weekly reader whose first digest is over."""
    with at(SUNDAY):
        released(back)
        row = reader(factories.DigestNewsletterFactory(), back)
        digest_run.run_due(SUNDAY)
        Delivery.objects.update(state="accepted")
    return row


def at(moment):
    return time_machine.travel(moment, tick=False)


def run_due(moment):
    with at(moment):
        digest_run.run_due(moment)


def save_preferences(subscription, **changes):
    preferences.save(
        subscriber=subscription.subscriber,
        choices=preferences.Choices(
            **{
                "first_name": "",
                "language": "en",
                "timezone": "UTC",
                "text_only": False,
                "pause_until": None,
                "cadence": Subscription.Cadence.WEEKLY,
                "weekday": 0,
                "hour": 8,
                "conditions": frozenset(
                    subscription.subscriber.follows.values_list("condition_id", flat=True)
                ),
                "paused": frozenset(),
                **changes,
            }
        ),
    )


def newest() -> list[int]:
    return Delivery.objects.latest("pk").article_ids


def end(subscription):
    return unsubscribe.end(
        subscription=subscription,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )


@pytest.mark.parametrize("due_meanwhile", [False, True])
def test_undoing_loses_nothing(subscription, back, due_meanwhile):
    with at(SUNDAY + timedelta(hours=1)):
        article = released(back)
    with at(MONDAY - timedelta(minutes=10)):
        ended = end(subscription)
    if due_meanwhile:
        run_due(MONDAY)
    with at(MONDAY + timedelta(minutes=10) if due_meanwhile else MONDAY - timedelta(minutes=5)):
        unsubscribe.undo(token=ended.undo_token)
    run_due(MONDAY + WEEK)
    assert newest() == [article.pk]


def test_a_new_hour_and_zone_count_from_the_next_digest_on(subscription, back):
    with at(SUNDAY + timedelta(hours=1)):
        article = released(back)
        save_preferences(subscription, weekday=0, hour=6, timezone="Pacific/Auckland")
    assert DigestMark.objects.get().next_due_at == utc(2026, 11, 22, 17)
    run_due(utc(2026, 11, 22, 17))
    assert newest() == [article.pk]


def test_a_pause_broken_off_ends_at_that_moment(subscription, back):
    with at(SUNDAY):
        save_preferences(subscription, pause_until=date(2027, 1, 10))
    with at(SUNDAY + timedelta(days=1)):
        released(back)
    with at(SUNDAY + timedelta(days=2)):
        save_preferences(subscription)
    with at(SUNDAY + timedelta(days=3)):
        new = released(back)
        save_preferences(subscription, first_name="Ada")
    run_due(MONDAY + WEEK)
    assert newest() == [new.pk]


def test_a_reader_who_becomes_live_has_a_mark_in_that_moment(back, subscription):
    """So that whatever comes out a second later is owed."""
    from signup import cadence

    newcomer = reader(subscription.newsletter, back)
    cadence.announce([newcomer.pk])
    assert DigestMark.objects.filter(subscription=newcomer).exists()


def test_a_change_made_while_a_digest_is_late_does_not_put_it_off(subscription, back):
    with at(SUNDAY + timedelta(hours=1)):
        released(back)
    # Monday's run at eight is late: the worker was down.
    with at(MONDAY + timedelta(seconds=20)):
        save_preferences(subscription, conditions=frozenset([back.pk]), first_name="Ada")
    run_due(MONDAY + timedelta(minutes=1))
    assert Delivery.objects.filter(subscriber=subscription.subscriber).count() == 2


CADENCES = list(Subscription.Cadence)
# Days within which the next digest of each must have come.
LONGEST = {"immediate": 1, "daily": 2, "weekly": 8, "monthly": 38}


@pytest.mark.parametrize("after", CADENCES)
@pytest.mark.parametrize("before", CADENCES)
def test_a_change_of_cadence_zone_and_hour_repeats_and_loses_nothing(subscription, before, after):
    """Articles before and after each change, then weeks of runs: each comes once."""
    back = subscription.subscriber.follows.get().condition
    had = set(newest())
    with at(SUNDAY):
        save_preferences(subscription, cadence=before)
        expected = [released(back).pk]
    live(SUNDAY, hours=40)
    with at(SUNDAY + timedelta(hours=40)):
        expected.append(released(back).pk)
        save_preferences(subscription, cadence=after, hour=5, timezone="Pacific/Auckland")
        expected.append(released(back).pk)
    live(SUNDAY + timedelta(hours=40), hours=24 * LONGEST[after])
    shown = [
        article
        for articles in Delivery.objects.order_by("pk").values_list("article_ids", flat=True)
        for article in articles
        if article not in had
    ]
    assert sorted(shown) == sorted(expected)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York", "Pacific/Kiritimati"])
def test_moving_back_and_forth_between_zones_repeats_and_loses_nothing(subscription, zone):
    back = subscription.subscriber.follows.get().condition
    had, expected = set(newest()), []
    for day in range(10):
        start = SUNDAY + timedelta(days=day)
        with at(start):
            expected.append(released(back).pk)
            save_preferences(
                subscription,
                cadence=Subscription.Cadence.DAILY,
                timezone=zone if day % 2 else "UTC",
            )
        live(start, hours=24)
    live(SUNDAY + timedelta(days=10), hours=30)
    shown = [
        article
        for articles in Delivery.objects.values_list("article_ids", flat=True)
        for article in articles
        if article not in had
    ]
    assert sorted(shown) == sorted(expected)


def test_following_and_stopping_another_condition_changes_nothing_for_the_first(subscription, back):
    other = factories.ConditionFactory()
    with at(SUNDAY + timedelta(hours=1)):
        article = released(back)
        before = released(other)
        save_preferences(subscription, conditions=frozenset([back.pk, other.pk]))
        after = released(other)
    run_due(MONDAY)
    assert set(newest()) == {article.pk, after.pk}
    assert before.pk not in newest()
    with at(MONDAY + timedelta(hours=1)):
        save_preferences(subscription, conditions=frozenset([back.pk]))
        released(other)
        last = released(back)
    run_due(MONDAY + WEEK)
    assert newest() == [last.pk]


def live(start, *, hours):
    """Every run that is due in these hours. All due times are whole hours, and one is never
    earlier than the time at which it was worked out."""
    end = start + timedelta(hours=hours)
    while (due := DigestMark.objects.get().next_due_at) <= end:
        assert due > start and due.minute == 0
        run_due(due)
        Delivery.objects.filter(state="queued").update(state="accepted")
