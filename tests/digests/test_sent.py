"""The whole way of a digest: released, planned, fed, claimed, handed over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.editions.models import Release
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from newsletter.transports import memory
from tests.digests import factories
from tests.digests.factories import approved, reader, released
from tests.digests.sending import send_everything

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_outbox():
    memory.outbox.clear()


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk")


def test_a_digest_reaches_its_reader_and_the_mailing_balances(back):
    approved(released(back), text="Lift with care")
    subscription = reader(factories.DigestNewsletterFactory(), back)
    run_due(timezone.now())
    send_everything()
    [sent] = memory.outbox
    assert sent.recipient == subscription.subscriber.email
    assert b"Lift with care" in sent.content
    assert Delivery.objects.get().state == Delivery.State.ACCEPTED
    assert Mailing.objects.get().state == Mailing.State.ENDED


def test_a_digest_of_which_nothing_is_left_is_skipped_and_given_back(back):
    article = released(back)
    approved(article)
    reader(factories.DigestNewsletterFactory(), back)
    run_due(timezone.now())
    Release.objects.filter(article=article).update(withdrawn_at=timezone.now())
    send_everything()
    assert memory.outbox == []
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.skip_reason) == ("skipped", "nothing_left")
    assert Batch.objects.get().skipped == 1
    assert Mailing.objects.get().state == Mailing.State.ENDED
    assert DigestMark.objects.get().first_sent_at is None


def test_who_pauses_between_planning_and_sending_gets_nothing_now(back):
    approved(released(back))
    subscription = reader(factories.DigestNewsletterFactory(), back)
    now = timezone.now()
    run_due(now)
    subscription.paused_until = now + timedelta(days=3)
    subscription.save()
    send_everything()
    assert memory.outbox == []
    assert Delivery.objects.get().skip_reason == "paused"
