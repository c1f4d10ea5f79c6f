"""A copy that was never handed over: the next digest brings what it held."""

from datetime import timedelta

import pytest
import time_machine

from newsletter.sending import digest_run
from newsletter.sending.digest_marks import give_back
from newsletter.sending.models import Delivery, DigestMark
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
    """A weekly reader whose first digest is over, and who is owed one article."""
    with time_machine.travel(SUNDAY, tick=False):
        released(back)
        row = reader(factories.DigestNewsletterFactory(), back)
        digest_run.run_due(SUNDAY)
        Delivery.objects.update(state="accepted")
        released(back)
    return row


def run_due(at):
    with time_machine.travel(at, tick=False):
        digest_run.run_due(at)


def skip_newest() -> Delivery:
    delivery = Delivery.objects.latest("pk")
    delivery.state, delivery.skip_reason = "skipped", "cancelled"
    delivery.save()
    return delivery


def test_a_skipped_digest_comes_back_whole(subscription):
    run_due(MONDAY)
    skipped = skip_newest()
    assert give_back([skipped.pk]) == 1
    run_due(MONDAY + WEEK)
    assert Delivery.objects.latest("pk").article_ids == skipped.article_ids
    assert Delivery.objects.count() == 3


def test_a_skipped_first_digest_is_still_to_come(subscription, back):
    with time_machine.travel(MONDAY - timedelta(hours=1), tick=False):
        late = reader(subscription.newsletter, back)
        digest_run.run_due(MONDAY - timedelta(hours=1))
    skipped = skip_newest()
    assert skipped.subscriber_id == late.subscriber_id
    give_back([skipped.pk])
    run_due(MONDAY)
    again = Delivery.objects.filter(subscriber=late.subscriber).latest("pk")
    assert again.article_ids == skipped.article_ids


def test_giving_back_twice_gives_back_once(subscription):
    run_due(MONDAY)
    skipped = skip_newest()
    give_back([skipped.pk])
    run_due(MONDAY + WEEK)
    assert give_back([skipped.pk]) == 0
    run_due(MONDAY + 2 * WEEK)
    assert Delivery.objects.count() == 3


def test_only_what_was_skipped_is_given_back(subscription):
    run_due(MONDAY)
    accepted = Delivery.objects.latest("pk")
    Delivery.objects.filter(pk=accepted.pk).update(state="accepted")
    before = DigestMark.objects.get().mark
    assert give_back([accepted.pk]) == 0
    assert DigestMark.objects.get().mark == before


def test_a_mark_that_a_later_run_moved_on_stays(subscription, back):
    run_due(MONDAY)
    skipped = skip_newest()
    with time_machine.travel(MONDAY, tick=False):
        released(back)
    run_due(MONDAY + WEEK)
    assert give_back([skipped.pk]) == 0
    assert DigestMark.objects.get().mark == 3
