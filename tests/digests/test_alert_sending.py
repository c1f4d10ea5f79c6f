"""Whom a safety alert reaches, how soon, and that it reaches nobody twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.editions.models import Release
from newsletter.sending import alert as alerts
from newsletter.sending import plan
from newsletter.sending.digest_run import run_due
from newsletter.sending.errors import NotPossible
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from newsletter.tasks import plan_alert, recover
from newsletter.transports import memory
from signup.models import Follow
from tests.digests import factories
from tests.digests.alerts import approved_article, marked, sent, sign
from tests.digests.factories import UserFactory, follow, reader, released
from tests.digests.sending import send_everything

pytestmark = pytest.mark.django_db

A_WHILE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def empty_outbox():
    memory.outbox.clear()


@pytest.fixture(autouse=True)
def tasks_wait(settings, monkeypatch):
    """What is handed to workers is done by `send_everything`."""
    monkeypatch.setattr("newsletter.tasks.feed", lambda: None)


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


@pytest.fixture
def digest():
    return factories.DigestNewsletterFactory()


def recipients():
    return sorted(envelope.recipient for envelope in memory.outbox)


def pause(subscription, *, alerts_come):
    subscription.paused_until = timezone.now() + timedelta(days=30)
    subscription.save()
    subscription.subscriber.alerts_while_paused = alerts_come
    subscription.subscriber.save()


def test_it_goes_to_who_follows_one_of_its_conditions_whatever_the_cadence(back, digest):
    other = factories.ConditionFactory()
    concerned = [reader(digest, back, cadence=cadence) for cadence in ("monthly", "immediate")]
    reader(digest, other)
    sent(approved_article(back, title="Recall of Dolostop"))
    send_everything()
    assert recipients() == sorted(each.subscriber.email for each in concerned)
    assert b"Stop taking it" in memory.outbox[0].content
    assert b"Recall of Dolostop" in memory.outbox[0].content
    assert Mailing.objects.get().state == Mailing.State.ENDED


def test_its_headers_name_neither_condition_nor_medicine(back, digest):
    reader(digest, back)
    sent(approved_article(back, title="Recall of Dolostop"))
    send_everything()
    head = memory.outbox[0].content.partition(b"\r\n\r\n")[0]
    assert b"Subject: Safety information for you" in head
    assert b"Dolostop" not in head
    assert b"erniated" not in head
    assert b"List-Unsubscribe: <http" in head


def test_it_goes_before_everything_else_that_waits(back, digest):
    released(back)
    reader(digest, back)
    run_due(timezone.now())
    alert = sent(approved_article(back))
    first = Batch.objects.get(pk=feed()[0])
    assert first.mailing.alert == alert


def test_it_is_planned_by_the_prompt_pool(settings):
    assert settings.CELERY_TASK_ROUTES["newsletter.tasks.plan_alert"] == {"queue": "prompt"}


def test_the_paused_get_it_only_if_they_chose_so(back, digest):
    chose, others = reader(digest, back), reader(digest, back)
    pause(chose, alerts_come=True)
    pause(others, alerts_come=False)
    sent(approved_article(back))
    send_everything()
    assert recipients() == [chose.subscriber.email]
    assert Delivery.objects.count() == 1


def test_a_paused_condition_is_as_a_paused_newsletter(back, digest):
    chose, others = reader(digest, back), reader(digest, back)
    Follow.objects.update(paused_at=timezone.now())
    chose.subscriber.alerts_while_paused = True
    chose.subscriber.save()
    sent(approved_article(back))
    send_everything()
    assert recipients() == [chose.subscriber.email]
    assert others.subscriber.email not in recipients()


def test_who_takes_the_choice_back_before_it_goes_gets_nothing(back, digest):
    subscription = reader(digest, back)
    pause(subscription, alerts_come=True)
    sent(approved_article(back))
    pause(subscription, alerts_come=False)
    send_everything()
    assert memory.outbox == []
    assert Delivery.objects.get().skip_reason == "paused"


@pytest.mark.parametrize("how", ["stops the condition", "leaves", "withdraws the consent"])
def test_who_leaves_between_planning_and_sending_gets_nothing(back, digest, how):
    subscription = reader(digest, back)
    sent(approved_article(back))
    if how == "stops the condition":
        Follow.objects.all().delete()
    elif how == "leaves":
        subscription.state, subscription.ended_reason = "ended", "unsubscribed"
        subscription.consent = None
        subscription.save()
    else:
        subscription.subscriber.health_consent = None
        subscription.subscriber.save()
    send_everything()
    assert memory.outbox == []
    assert Delivery.objects.get().state == Delivery.State.SKIPPED
    assert Mailing.objects.get().state == Mailing.State.ENDED


def test_a_reader_of_two_digests_gets_it_once(back, digest):
    subscription = reader(digest, back)
    second = reader(factories.DigestNewsletterFactory(), back)
    only_second = second.subscriber
    subscription.pk = None
    subscription.newsletter = second.newsletter
    subscription.save()
    sent(approved_article(back))
    send_everything()
    assert len(recipients()) == len(set(recipients())) == 2
    assert only_second.email in recipients()


def test_planning_it_twice_changes_nothing(back, digest):
    reader(digest, back)
    alert = sent(approved_article(back))
    plan_alert(alert.pk)
    plan.resume(Mailing.objects.get())
    send_everything()
    plan_alert(alert.pk)
    send_everything()
    assert len(memory.outbox) == 1


def test_a_lost_task_is_healed_by_the_sweep(back, digest, monkeypatch):
    reader(digest, back)
    alert = marked(approved_article(back))
    sign(alert)
    [mailing] = sign(alert)
    asked = []
    monkeypatch.setattr("newsletter.tasks.plan_issue.delay", asked.append)
    recover()
    assert asked == [mailing]


def test_it_comes_in_the_readers_language(back, digest):
    article = approved_article(back, title="Recall of Dolostop")
    approved_article(language="es", translation_of=article, title="Retirada de Dolostop")
    for language in ("es", "en"):
        subscriber = reader(digest, back).subscriber
        subscriber.language = language
        subscriber.save()
    sent(article)
    send_everything()
    spanish = next(e for e in memory.outbox if b"Retirada de Dolostop" in e.content)
    english = next(e for e in memory.outbox if b"Recall of Dolostop" in e.content)
    assert spanish.recipient != english.recipient


def test_what_was_altered_since_the_signatures_is_not_sent(back, digest):
    reader(digest, back)
    sent(approved_article(back))
    edition = Mailing.objects.get().editions.get(language="en")
    edition.content = bytes(edition.content).replace(b"Stop taking it", b"Keep taking it")
    edition.save()
    send_everything()
    assert memory.outbox == []
    assert Mailing.objects.get().state == Mailing.State.PAUSED


# --- and the digests ------------------------------------------------------------------------


def digests_of(subscription):
    return [
        delivery
        for delivery in Delivery.objects.filter(
            subscriber=subscription.subscriber, mailing__kind=Mailing.Kind.DIGEST
        )
    ]


def had_its_first(subscription, at):
    DigestMark.objects.update_or_create(
        subscription=subscription,
        defaults={"mark": 0, "next_due_at": at - A_WHILE, "first_sent_at": at - timedelta(days=7)},
    )


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_digests_leave_out_what_came_as_an_alert(back, digest, outcome, first):
    subscription, news = reader(digest, back), released(back)
    now = timezone.now()
    if not first:
        had_its_first(subscription, now)
    article = approved_article(back)
    sent(article)
    Delivery.objects.update(state=outcome)
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert delivery.article_ids == [news.pk]


def test_who_was_not_reached_finds_it_in_the_digest(back, digest):
    subscription = reader(digest, back)
    had_its_first(subscription, timezone.now())
    article = approved_article(back)
    sent(article)
    Delivery.objects.update(state="refused")
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert delivery.article_ids == [article.pk]


def test_what_it_leaves_free_goes_to_the_next_best(back, digest):
    subscription = reader(digest, back)
    had_its_first(subscription, timezone.now())
    news = [released(back).pk for _ in range(7)]
    sent(approved_article(back, weight=9))
    send_everything()
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert sorted(delivery.article_ids) == news


def test_in_a_first_digest_too_what_it_leaves_free_goes_to_the_next_best(back, digest):
    subscription = reader(digest, back)
    news = {released(back).pk for _ in range(2)}
    sent(approved_article(back, weight=9))
    send_everything()
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert set(delivery.article_ids) == news


def test_an_alert_that_arrives_after_the_plan_is_left_out_of_the_copy(back, digest):
    subscription = reader(digest, back)
    had_its_first(subscription, timezone.now())
    article = approved_article(back)
    alert = sent(article)
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert delivery.article_ids == [article.pk]
    send_everything()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.skip_reason) == ("skipped", "nothing_left")
    assert len(memory.outbox) == 1
    # Given back, and not tried over and over.
    DigestMark.objects.update(next_due_at=timezone.now() - A_WHILE)
    Mailing.objects.filter(kind="digest").update(purpose="an earlier minute")
    run_due(timezone.now())
    assert len(digests_of(subscription)) == 1
    assert DigestMark.objects.get().mark == Release.objects.get(article=alert.article).seq


def test_an_article_announced_again_after_its_alert_is_news(back, digest):
    subscription = reader(digest, back)
    had_its_first(subscription, timezone.now())
    article = approved_article(back)
    sent(article)
    send_everything()
    factories.release_row(article)
    run_due(timezone.now())
    [delivery] = digests_of(subscription)
    assert delivery.article_ids == [article.pk]


# --- recall and correction --------------------------------------------------------------------


def test_a_recall_stops_what_has_not_gone_and_empties_the_digests(back, digest):
    subscription = reader(digest, back)
    alert = sent(approved_article(back))
    alerts.recall(alert=alert, by=UserFactory(), reason="Wrong batch number")
    send_everything()
    recover()
    run_due(timezone.now())
    assert memory.outbox == []
    assert Mailing.objects.get().state == Mailing.State.CANCELLED
    assert Delivery.objects.get().skip_reason == "cancelled"
    assert digests_of(subscription) == []


def test_a_recall_asks_for_its_reason_and_comes_once(back, digest):
    reader(digest, back)
    alert = sent(approved_article(back))
    with pytest.raises(NotPossible):
        alerts.recall(alert=alert, by=UserFactory(), reason=" ")
    alerts.recall(alert=alert, by=UserFactory(), reason="Wrong batch number")
    with pytest.raises(NotPossible):
        alerts.recall(alert=alert, by=UserFactory(), reason="Wrong batch number")


def test_a_correction_goes_to_exactly_those_who_had_the_alert(back, digest):
    had, maybe, refused, left = (reader(digest, back) for _ in range(4))
    alert = sent(approved_article(back))
    send_everything()
    for subscription, state in ((maybe, "unknown"), (refused, "refused")):
        Delivery.objects.filter(subscriber=subscription.subscriber).update(state=state)
    left.state, left.ended_reason, left.consent = "ended", "unsubscribed", None
    left.save()
    # Whoever had it gets the correction, whatever is followed today; who follows it now only,
    # and never had it, has nothing to be corrected.
    Follow.objects.filter(subscriber=had.subscriber).delete()
    reader(digest, back)
    memory.outbox.clear()
    sent(approved_article(back, title="Not that batch"), corrects=alert)
    send_everything()
    assert recipients() == sorted([had.subscriber.email, maybe.subscriber.email])
    assert b"Subject: Correction of safety information" in memory.outbox[0].content


def test_a_correction_of_a_correction_goes_to_all_who_had_either(back, digest):
    early, late = reader(digest, back), reader(digest, back)
    alert = sent(approved_article(back))
    Delivery.objects.filter(subscriber=early.subscriber).update(state="accepted")
    Delivery.objects.filter(subscriber=late.subscriber).update(state="refused")
    first = sent(approved_article(back), corrects=alert)
    assert list(first.mailings.get().deliveries.values_list("subscriber", flat=True)) == [
        early.subscriber_id
    ]
    second = sent(approved_article(back), corrects=first)
    assert second.mailings.get().deliveries.get().subscriber == early.subscriber


def test_the_same_article_mended_may_be_its_own_correction(back, digest):
    reader(digest, back)
    article = approved_article(back)
    alert = sent(article)
    send_everything()
    sent(article, corrects=alert)
    send_everything()
    assert len(memory.outbox) == 2


def test_an_alert_that_concerns_nobody_is_still_released(back, digest):
    alert = sent(approved_article(back))
    assert alert.sent_at
    assert Release.objects.filter(article=alert.article).exists()
    assert not Mailing.objects.exists()


def test_who_begins_to_follow_after_it_went_is_not_written_to(back, digest):
    reader(digest, back)
    sent(approved_article(back))
    newcomer = reader(digest)
    follow(newcomer.subscriber, back)
    send_everything()
    assert newcomer.subscriber.email not in recipients()
