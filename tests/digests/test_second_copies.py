"""A digest that is sent once more after an unknown outcome: the first one's bytes (invariant 7)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.editions.models import Release
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing, SafetyAlert
from newsletter.transports import memory
from signup.models import Subscription
from tests.digests import factories
from tests.digests.alerts import approved_article, sent
from tests.digests.factories import reader
from tests.digests.sending import send_everything

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_outbox(monkeypatch):
    memory.outbox.clear()
    monkeypatch.setattr("newsletter.tasks.feed", lambda: None)


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def subscription(back):
    """A weekly reader whose first digest is over."""
    row = reader(factories.DigestNewsletterFactory(), back)
    now = timezone.now().replace(microsecond=0)
    DigestMark.objects.create(subscription=row, mark=0, next_due_at=now, first_sent_at=now)
    return row


def alert_reaches_everybody(article) -> SafetyAlert:
    alert = sent(article)
    Delivery.objects.filter(mailing__alert=alert).update(state="accepted")
    Batch.objects.filter(mailing__alert=alert).update(state="done", accepted=1)
    return alert


def digest_copies() -> list[bytes]:
    return [mail.content for mail in memory.outbox]


def lose_the_answer() -> None:
    """What the relay said to the digest was lost, and it waits to be sent once more."""
    Batch.objects.filter(mailing__kind="digest").update(accepted=0, unknown=1)
    Mailing.objects.filter(kind="digest").update(state="sending", ended_at=None)
    Delivery.objects.filter(mailing__kind="digest").update(state="unknown", retry_at=timezone.now())


def twice(between) -> list[bytes]:
    run_due(timezone.now())
    send_everything()
    lose_the_answer()
    between()
    send_everything()
    copies = digest_copies()
    assert len(copies) == 2
    return copies


def test_an_alert_that_was_left_out_of_the_first_is_left_out_of_the_second(back, subscription):
    """Although its article was announced again meanwhile, and is news to all by now."""
    news, recall = approved_article(back, title="News"), approved_article(back, title="Recall")
    factories.release_row(news)
    factories.release_row(recall)
    run_due(timezone.now())
    assert Delivery.objects.get().article_ids == [recall.pk, news.pk]
    alert = alert_reaches_everybody(recall)
    send_everything()
    lose_the_answer()
    factories.release_row(recall)
    SafetyAlert.objects.filter(pk=alert.pk).update(sent_at=timezone.now() - timedelta(days=90))
    send_everything()
    first, second = digest_copies()
    assert b"Recall" not in first
    assert second == first


def test_an_alert_that_went_out_after_the_first_stays_in_the_second(back, subscription):
    news, recall = approved_article(back, title="News"), approved_article(back, title="Recall")
    factories.release_row(news)
    factories.release_row(recall)
    first, second = twice(lambda: alert_reaches_everybody(recall))
    assert b"Recall" in first
    assert second == first


def test_another_digest_and_a_new_release_in_between_change_nothing(back, subscription):
    factories.release_row(approved_article(back, title="News"))

    def a_day_passes():
        factories.release_row(approved_article(back, title="Later"))
        DigestMark.objects.update(next_due_at=timezone.now() + timedelta(minutes=1))
        run_due(timezone.now() + timedelta(minutes=2))
        Mailing.objects.latest("pk").batches.update(not_before=timezone.now() + timedelta(days=1))

    first, second = twice(a_day_passes)
    assert second == first


def test_who_changed_the_rhythm_is_told_the_new_one(back, subscription):
    """The reader's own data: a line on Monday's mail would be wrong by now."""
    factories.release_row(approved_article(back, title="News"))

    def turn_monthly():
        Subscription.objects.update(cadence="monthly")

    first, second = twice(turn_monthly)
    assert b"for this week" in first
    assert b"for this month" in second


def test_what_was_withdrawn_in_between_is_in_no_second_copy(back, subscription):
    """Nobody is told twice what is wrong: that goes before having the same bytes."""
    news, wrong = approved_article(back, title="News"), approved_article(back, title="Wrong")
    factories.release_row(news)
    factories.release_row(wrong)

    def withdraw():
        Release.objects.filter(article=wrong).update(withdrawn_at=timezone.now())

    first, second = twice(withdraw)
    assert b"Wrong" in first
    assert b"Wrong" not in second
    assert b"News" in second


def test_what_was_mended_in_between_is_mended_in_the_second_copy(back, subscription):
    news = approved_article(back, title="Three a day")
    factories.release_row(news)

    def mend():
        factories.approved(news, html="<p>One a day</p>", text="One a day")

    first, second = twice(mend)
    assert b"Three a day" in first
    assert b"One a day" in second
    assert b"Three a day" not in second
