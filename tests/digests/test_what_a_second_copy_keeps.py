"""What staff rename, retag or restyle between a copy and its second one shows in neither
(invariant 7): a run keeps what its copies are joined from."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter, Publisher
from newsletter.editions.models import Article
from newsletter.sending import digest_slice
from newsletter.sending.chunk import next_chunk
from newsletter.sending.claim import claim
from newsletter.sending.copies import copies_of
from newsletter.sending.deliver import deliver
from newsletter.sending.digest_run import run_due
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.feed import feed
from newsletter.sending.models import (
    Batch,
    Delivery,
    DigestFrame,
    DigestMark,
    Edition,
    Mailing,
)
from newsletter.sending.recover import recover
from newsletter.transports import memory
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from signup.models import Follow, Subscriber, Subscription
from tests.digests import factories
from tests.digests.alerts import approved_article, sent
from tests.digests.factories import reader

pytestmark = pytest.mark.django_db

UNKNOWN = Receipt(Outcome.UNKNOWN, None, "4.4.2", "line lost")
LATER = timedelta(minutes=16)


@pytest.fixture(autouse=True)
def empty_outbox(monkeypatch):
    memory.outbox.clear()
    monkeypatch.setattr("newsletter.tasks.feed", lambda: None)


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk", weight=2)


@pytest.fixture
def migraine():
    return factories.ConditionFactory(name="Migraine", weight=1)


@pytest.fixture
def newsletter():
    return factories.DigestNewsletterFactory()


@pytest.fixture
def article(back):
    return approved_article(back, title="Lift with care")


@pytest.fixture
def subscription(newsletter, back, migraine, article):
    row = reader(newsletter, back, migraine)
    now = timezone.now().replace(microsecond=0)
    DigestMark.objects.create(subscription=row, mark=0, next_due_at=now, first_sent_at=now)
    factories.release_row(article)
    return row


def send(receipt=OK) -> None:
    while fed := feed():
        for batch in fed:
            deliver(claim(batch, "test"), MemoryTransport(lambda _: receipt))


def lose_the_answer() -> bytes:
    """The line broke behind the content."""
    send(UNKNOWN)
    return memory.outbox[-1].content


def lose_the_worker() -> bytes:
    """It died with its chunk on the wire, and its batch is taken back."""
    [batch] = feed()
    claimed = claim(batch, "test")
    chunk = next_chunk(claimed, 10, copies_of(claimed.mailing))
    first = chunk.copies.envelope(chunk.rows[0]).content
    Batch.objects.update(lease_until=timezone.now() - timedelta(days=1))
    assert recover().unknown == 1
    return first


def attempts(between, lose=lose_the_answer) -> tuple[bytes, bytes]:
    """A copy whose outcome is unknown, what happens meanwhile, and the second copy."""
    first = lose()
    memory.outbox.clear()
    assert list(Delivery.objects.filter(state="unknown").values_list("resent", flat=True)) == [
        False
    ]
    between()
    with time_machine.travel(timezone.now() + LATER, tick=False):
        send()
    [again] = memory.outbox
    return first, again.content


def retag(article, *conditions):
    article = Article.objects.get(pk=article.pk)
    article.conditions.set(conditions)
    article.save()


CHANGES = {
    "a condition is renamed": lambda it: Condition.objects.update(name="Slipped disc"),
    "a condition's page moves": lambda it: Condition.objects.filter(pk=it["back"].pk).update(
        slug="elsewhere"
    ),
    "a condition is retired": lambda it: Condition.objects.update(retired_at=timezone.now()),
    "the article is also about something heavier": lambda it: (
        Condition.objects.filter(pk=it["migraine"].pk).update(weight=9),
        retag(it["article"], it["back"], it["migraine"]),
    ),
    "the article is about something else": lambda it: retag(it["article"], it["migraine"]),
    "the article is about nothing": lambda it: retag(it["article"]),
    "the article is called otherwise": lambda it: Article.objects.update(
        title="Other", summary="Other", slug="other"
    ),
    "the article is translated": lambda it: approved_article(
        language="es", title="Con cuidado", translation_of=it["article"]
    ),
    "the publisher has another colour and address": lambda it: (
        Publisher.current(),
        Publisher.objects.update(brand_colour="#7A1F5C", name="Other", postal_address="Other"),
    ),
    "the newsletter has another look": lambda it: Newsletter.objects.update(
        name="Other",
        brand_colour="#7A1F5C",
        from_name="Other",
        from_email="other@wellread.example",
        reply_to="other@wellread.example",
        postal_address="Other",
        footer="Other",
        country="US",
        language="es",
    ),
    "subjects may name conditions": lambda it: (
        Newsletter.objects.update(conditions_in_subject=True, sensitive=False),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_digests_second_copy_has_the_bytes_of_the_first(
    what, newsletter, back, migraine, article, subscription
):
    Subscriber.objects.update(language="es", conditions_in_subject=True)
    run_due(timezone.now())
    known = {"back": back, "migraine": migraine, "article": article}
    first, second = attempts(lambda: CHANGES[what](known))
    assert b"Lift with care" in first
    assert second == first


def test_so_it_is_when_a_worker_is_lost_with_its_chunk(back, subscription):
    run_due(timezone.now())
    first, second = attempts(lambda: Condition.objects.update(name="Other"), lose_the_worker)
    assert second == first


def test_a_first_copy_after_a_change_is_what_the_run_planned(back, migraine, article, subscription):
    """Retagging announces nothing and takes nothing away: it stands under what brought it."""
    run_due(timezone.now())
    retag(article, migraine)
    Condition.objects.filter(pk=back.pk).update(name="Slipped disc")
    send()
    [mail] = memory.outbox
    assert b"HERNIATED DISK" in mail.content.upper()
    assert b"MIGRAINE" not in mail.content.upper()


def test_a_name_in_a_subject_is_taken_back_at_once(newsletter, back, subscription):
    """The rule goes one way: staff may take back what a copy tells, and add nothing to it."""
    Newsletter.objects.update(conditions_in_subject=True, sensitive=False)
    Subscriber.objects.update(conditions_in_subject=True)
    run_due(timezone.now())
    first, second = attempts(lambda: Newsletter.objects.update(conditions_in_subject=False))
    assert b"Subject: Herniated disk" in first
    assert b"Subject: Your health reading" in second


def test_the_words_after_a_pause_are_counted_once(newsletter, back, migraine, subscription):
    """What came out meanwhile is retagged, withdrawn and added to between the two."""
    now = timezone.now()
    Subscription.objects.update(
        paused_at=now - timedelta(days=9), paused_until=now - timedelta(days=2)
    )
    missed = [factories.released(back, at=now - timedelta(days=5)) for _ in range(3)]
    news = approved_article(back, title="News")
    factories.release_row(news)
    run_due(now)

    def change():
        retag(missed[0])
        missed[1].releases.update(withdrawn_at=timezone.now())
        factories.released(back, at=now - timedelta(days=4))

    first, second = attempts(change)
    assert b"3 articles came out" in first
    assert second == first


def test_an_alerts_second_copy_has_the_bytes_of_the_first(newsletter, back, article, subscription):
    alert = sent(article)

    def change():
        Condition.objects.filter(pk=back.pk).update(name="Other", slug="other")
        Article.objects.update(title="Other", summary="Other", slug="other")
        approved_article(language="es", title="Otro", translation_of=article)
        Publisher.current()
        Publisher.objects.update(brand_colour="#7A1F5C", name="Other", postal_address="Other")
        Newsletter.objects.update(
            name="Other",
            brand_colour="#7A1F5C",
            from_name="Other",
            from_email="other@wellread.example",
            postal_address="Other",
            footer="Other",
        )

    first, second = attempts(change)
    assert Mailing.objects.get(kind="alert").alert == alert
    assert b"Lift with care" in first
    assert second == first


# --- What is kept, and how ------------------------------------------------------------------------


def pieces(mailing) -> dict:
    return mailing.editions.get().pieces


def test_runs_share_what_stands_around_their_articles(newsletter, back, subscription):
    run_due(timezone.now())
    assert pieces(Mailing.objects.get())["articles"] == {
        str(article.pk): [article.pk, [back.pk]] for article in Article.objects.all()
    }
    kept = DigestFrame.objects.get()
    factories.release_row(approved_article(back))
    later = timezone.now() + timedelta(days=8)
    run_due(later)
    assert DigestFrame.objects.get() == kept
    Condition.objects.filter(pk=back.pk).update(name="Slipped disc")
    factories.release_row(approved_article(back))
    run_due(later + timedelta(days=8))
    assert DigestFrame.objects.count() == 2
    assert b"Herniated" in bytes(DigestFrame.objects.earliest("pk").content)


def test_a_frame_that_was_tampered_with_is_never_sent(newsletter, subscription):
    run_due(timezone.now())
    DigestFrame.objects.update(content=b'["Buy","my","pills","now","!"]')
    with pytest.raises(ContentDamaged):
        copies_of(Mailing.objects.get())


def test_an_interrupted_plan_keeps_what_brought_an_article_before_and_after(
    newsletter, back, migraine, article, subscription, monkeypatch
):
    """Retagged between the two halves: each reader finds it under what brought it to them."""
    monkeypatch.setattr(digest_slice, "SLICE", 1)
    now = timezone.now().replace(microsecond=0)
    other = reader(newsletter, migraine, live_at=now - timedelta(days=1))
    DigestMark.objects.create(subscription=other, mark=0, next_due_at=now, first_sent_at=now)
    Follow.objects.update(from_seq=0)
    Follow.objects.filter(subscriber=subscription.subscriber, condition=migraine).delete()
    run_due(timezone.now(), at_most_slices=1)
    retag(article, migraine)
    run_due(timezone.now())
    assert pieces(Mailing.objects.get())["articles"][str(article.pk)][1] == [back.pk, migraine.pk]
    send()
    assert [b"Herniated" in mail.content for mail in memory.outbox] == [True, False]
    assert [b"Migraine" in mail.content for mail in memory.outbox] == [False, True]


def test_a_run_that_an_older_version_planned_is_sent_as_it_stands_today(back, subscription):
    """It kept nothing; it goes out, and is better a little different than never."""
    run_due(timezone.now())
    Edition.objects.update(pieces=None)
    send()
    [mail] = memory.outbox
    assert b"Lift with care" in mail.content
    assert b"Herniated disk" in mail.content
