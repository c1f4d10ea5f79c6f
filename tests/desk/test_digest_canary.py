"""A watched digest that does not come is told to staff, once a day, and says no more than that."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.digests.canary import Trouble, look, watch
from newsletter.desk.models import DigestCanary
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Delivery, DigestMark
from signup.models import Follow
from tests.desk.conftest import client_of
from tests.digests import factories
from tests.digests.factories import reader, released

LATER = timedelta(hours=1)


@pytest.fixture
def back(db):
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def canary(desk, back):
    subscription = reader(factories.DigestNewsletterFactory(), back, cadence="daily")
    return DigestCanary.objects.create(subscription=subscription)


def in_an_hour(canary):
    canary.refresh_from_db()
    return look(canary, timezone.now() + LATER)


def settled(canary, state):
    """Its digest was planned and became `state`; the next is not due for a while."""
    released(canary.subscription.subscriber.follows.get().condition)
    run_due(timezone.now())
    Delivery.objects.update(state=state)
    DigestMark.objects.update(next_due_at=timezone.now() + timedelta(days=1))


def test_while_all_goes_well_nobody_is_told(canary):
    settled(canary, "accepted")
    assert in_an_hour(canary) is None
    assert watch(timezone.now() + LATER) == 0
    assert mail.outbox == []


def test_a_digest_of_which_there_is_nothing_to_bring_is_not_missed(canary):
    run_due(timezone.now())
    DigestMark.objects.update(next_due_at=timezone.now() + timedelta(days=1))
    assert in_an_hour(canary) is None


def test_a_run_that_does_not_come_is_noticed(canary):
    DigestMark.objects.create(subscription=canary.subscription, next_due_at=timezone.now())
    assert look(canary, timezone.now()) is None
    assert in_an_hour(canary) == Trouble.NOT_PLANNED


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("queued", Trouble.NOT_SENT),
        ("refused", Trouble.NOT_TAKEN),
        ("unknown", Trouble.NOT_TAKEN),
    ],
)
def test_a_digest_that_is_planned_and_does_not_leave_is_noticed(canary, state, trouble):
    settled(canary, state)
    assert in_an_hour(canary) == trouble


def test_an_article_that_no_digest_brought_is_noticed(canary, back):
    article = released(back)
    DigestMark.objects.create(
        subscription=canary.subscription,
        mark=article.releases.get().seq,
        next_due_at=timezone.now() + timedelta(days=1),
    )
    assert in_an_hour(canary) == Trouble.PASSED_OVER
    Follow.objects.all().delete()
    assert in_an_hour(canary) is None


def test_a_subscription_that_ended_watches_nothing_and_says_so(canary):
    subscription = canary.subscription
    subscription.state, subscription.ended_reason = "ended", "unsubscribed"
    subscription.consent = None
    subscription.save()
    assert in_an_hour(canary) == Trouble.GONE


def test_who_may_send_is_told_once_a_day_until_it_is_well(canary, desk):
    settled(canary, "refused")
    now = timezone.now() + LATER
    assert watch(now) == watch(now) == 1
    told = sorted(message.to[0] for message in mail.outbox)
    assert told == sorted([desk.sender.email, desk.admin.email])
    mail.outbox.clear()
    watch(now + timedelta(days=1, minutes=1))
    assert len(mail.outbox) == 2
    Delivery.objects.update(state="accepted")
    mail.outbox.clear()
    DigestMark.objects.update(next_due_at=now + timedelta(days=9))
    assert watch(now + timedelta(days=2)) == 0
    canary.refresh_from_db()
    assert (canary.trouble, canary.alarmed_at, mail.outbox) == ("", None, [])


def test_the_mail_names_neither_reader_nor_condition(canary):
    settled(canary, "refused")
    watch(timezone.now() + LATER)
    written = mail.outbox[0].subject + mail.outbox[0].body
    assert canary.subscription.subscriber.email not in written
    assert "Herniated" not in written


def test_one_watches_ones_own_subscription_only(desk, canary, back):
    stranger = reader(canary.subscription.newsletter, back)
    client = client_of(desk.admin)
    url = reverse("desk:canaries")
    assert client.post(url, {"subscription": stranger.pk}).status_code == 422
    stranger.subscriber.email = stranger.subscriber.email_key = desk.admin.email
    stranger.subscriber.save()
    client.post(url, {"subscription": stranger.pk})
    assert DigestCanary.objects.filter(subscription=stranger).exists()


def test_a_sender_looks_and_changes_nothing(desk, canary):
    client = client_of(desk.sender)
    assert client.get(reverse("desk:canaries")).status_code == 200
    client.post(reverse("desk:drop_canary", args=(canary.pk,)))
    assert DigestCanary.objects.exists()


def test_the_front_page_says_which_watched_digest_is_missing_until_it_came(desk, canary):
    DigestMark.objects.create(subscription=canary.subscription, next_due_at=timezone.now())
    watch(timezone.now() + LATER)
    home = reverse("wagtailadmin_home")
    page = client_of(desk.sender).get(home).content.decode()
    assert "A watched digest did not come" in page
    assert "no run has taken it up" in page
    assert canary.subscription.subscriber.email not in page
    assert "A watched digest did not come" not in client_of(desk.author).get(home).content.decode()
    DigestMark.objects.update(next_due_at=timezone.now() + timedelta(days=1))
    watch(timezone.now())
    assert "did not come" not in client_of(desk.sender).get(home).content.decode()
