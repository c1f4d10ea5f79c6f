"""“While you were away”: a few words and a link in the first digest after a pause, and no flood."""

from datetime import timedelta

import pytest
import time_machine

from newsletter.sending.models import Delivery
from newsletter.transports import memory
from signup.models import Follow, Subscription
from tests.digests import factories
from tests.digests.factories import approved, reader, released, utc
from tests.digests.mailed import html_of, inbox, send_due, text_of
from tests.digests.test_with_signup import save_preferences

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = utc(2026, 11, 23, 8)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
AWAY = "While you were away"


@pytest.fixture(autouse=True)
def empty_outbox():
    memory.outbox.clear()


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def subscription(back):
    """A weekly reader who has had a first digest."""
    with at(MONDAY - DAY):
        news(back)
        row = reader(factories.DigestNewsletterFactory(), back)
    send_due(MONDAY - DAY)
    assert len(inbox(row)) == 1
    return row


def at(moment):
    return time_machine.travel(moment, tick=False)


def news(*conditions):
    article = released(*conditions)
    approved(article)
    return article


def pause(subscription, began, until):
    with at(began):
        save_preferences(subscription, pause_until=until.date())


def test_the_first_digest_after_a_pause_says_how_much_came_out_and_where_it_stands(
    subscription, back
):
    other = factories.ConditionFactory()
    pause(subscription, MONDAY + DAY, MONDAY + 4 * WEEK)
    for week in (1, 2, 3):
        with at(MONDAY + week * WEEK):
            news(back)
            news(other)
        send_due(MONDAY + week * WEEK + timedelta(hours=1))
    with at(MONDAY + 4 * WEEK + timedelta(hours=-1)):
        fresh = news(back)
    send_due(MONDAY + 4 * WEEK)
    [_first, mail] = inbox(subscription)
    assert Delivery.objects.latest("pk").article_ids == [fresh.pk], "nothing piles up"
    for body in (text_of(mail), html_of(mail)):
        assert body.count(AWAY) == 1
        assert "3 articles came out on what you follow." in body
    assert "/conditions/" in text_of(mail).partition(AWAY)[2]


def test_it_is_said_once(subscription, back):
    pause(subscription, MONDAY + DAY, MONDAY + WEEK)
    with at(MONDAY + 3 * DAY):
        news(back)
    for week in (1, 2):
        with at(MONDAY + week * WEEK - timedelta(hours=1)):
            news(back)
        send_due(MONDAY + week * WEEK)
    [_first, after, later] = inbox(subscription)
    assert "One article came out" in text_of(after)
    assert AWAY not in text_of(later)


def test_it_waits_for_the_first_digest_that_has_something_to_show(subscription, back):
    pause(subscription, MONDAY + DAY, MONDAY + WEEK)
    with at(MONDAY + 3 * DAY):
        news(back)
    send_due(MONDAY + WEEK)
    assert len(inbox(subscription)) == 1, "nothing new, so no mail for these words alone"
    with at(MONDAY + WEEK + DAY):
        news(back)
    send_due(MONDAY + 2 * WEEK)
    assert AWAY in text_of(inbox(subscription)[1])


@pytest.mark.parametrize("why", ["nothing came out", "recalled", "no longer followed"])
def test_nothing_is_said_when_nothing_was_missed(subscription, back, why):
    other = factories.ConditionFactory()
    factories.follow(subscription.subscriber, other)
    pause(subscription, MONDAY + DAY, MONDAY + WEEK)
    if why != "nothing came out":
        with at(MONDAY + 3 * DAY):
            missed = news(other)
            if why == "recalled":
                missed.releases.update(withdrawn_at=MONDAY + 3 * DAY)
            else:
                Follow.objects.filter(condition=other).delete()
    with at(MONDAY + WEEK - timedelta(hours=1)):
        news(back)
    send_due(MONDAY + WEEK)
    assert AWAY not in text_of(inbox(subscription)[1])


def test_a_pause_that_ended_long_ago_is_no_news(subscription, back):
    pause(subscription, MONDAY + DAY, MONDAY + WEEK)
    with at(MONDAY + 3 * DAY):
        news(back)
    with at(MONDAY + 9 * WEEK - DAY):
        news(back)
    send_due(MONDAY + 9 * WEEK)
    assert AWAY not in text_of(inbox(subscription)[1])


def test_a_pause_made_longer_began_when_it_began_and_a_new_one_begins_anew(subscription):
    def began():
        return Subscription.objects.get(pk=subscription.pk).paused_at

    pause(subscription, MONDAY, MONDAY + WEEK)
    pause(subscription, MONDAY + DAY, MONDAY + 2 * WEEK)
    assert began() == MONDAY
    pause(subscription, MONDAY + 5 * WEEK, MONDAY + 6 * WEEK)
    assert began() == MONDAY + 5 * WEEK


def test_the_copy_that_is_sent_again_says_it_again(subscription, back):
    from newsletter.sending.digest_copies import DigestMail
    from tests.digests.test_copies import rows

    pause(subscription, MONDAY + DAY, MONDAY + WEEK)
    with at(MONDAY + 3 * DAY):
        news(back)
    with at(MONDAY + WEEK - timedelta(hours=1)):
        news(back)
    send_due(MONDAY + WEEK)
    sent = memory.outbox[-1].content
    with at(MONDAY + WEEK + timedelta(minutes=20)):
        delivery = Delivery.objects.select_related("mailing").latest("pk")
        [row] = [row for row in rows() if row.pk == delivery.pk]
        assert DigestMail(delivery.mailing).chunk([row]).copy(row) == sent
