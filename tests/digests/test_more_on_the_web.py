"""What the cap keeps out of a mail is counted in it."""

from datetime import timedelta

import pytest
import time_machine

from newsletter.editions.digest_rules import CAP
from newsletter.sending.models import Delivery, DigestMark
from newsletter.transports import memory
from tests.digests import factories
from tests.digests.factories import approved, reader, released, utc
from tests.digests.mailed import html_of, inbox, send_due, text_of

pytestmark = pytest.mark.django_db

MONDAY = utc(2026, 11, 23, 8)


@pytest.fixture(autouse=True)
def monday():
    memory.outbox.clear()
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def topics():
    return [factories.ConditionFactory() for _ in range(2)]


def of_a_reader(topics, *, is_first=False):
    row = reader(factories.DigestNewsletterFactory(), *topics, live_at=MONDAY - timedelta(days=9))
    if not is_first:
        DigestMark.objects.create(
            subscription=row, next_due_at=MONDAY, first_sent_at=MONDAY - timedelta(days=7)
        )
    return row


def news(*conditions):
    approved(released(*conditions), html="<p>News</p>\n", text="News\n")


def mail_of(subscription):
    send_due(MONDAY)
    [mail] = inbox(subscription)
    return " ".join(text_of(mail).split()), " ".join(html_of(mail).split())


@pytest.mark.parametrize(
    ("over", "words"),
    [(0, ""), (1, "One more new article on what"), (5, "5 more new articles on what you follow")],
)
def test_a_full_mail_says_how_many_more_there_are(topics, over, words):
    subscription = of_a_reader(topics)
    for number in range(CAP + over):
        # About both, and still one article.
        news(*topics) if number % 2 else news(topics[0])
    for body in mail_of(subscription):
        assert body.count("more new article") == bool(over)
        assert words in body
    assert Delivery.objects.get().more == (over or None)


def test_a_first_digest_counts_none(topics):
    subscription = of_a_reader(topics, is_first=True)
    for _ in range(20):
        news(*topics)
    assert all("more new article" not in body for body in mail_of(subscription))
