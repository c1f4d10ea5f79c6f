"""Mail that tells of a reader's health leaves only by a way that is recorded for it (invariant 11).

Asked when an issue is approved and when a batch is sent: what was allowed last week may not be now.
"""

import pytest
from django.utils import timezone

from newsletter import tasks
from newsletter.approval import preflight
from newsletter.catalogue.models import Newsletter
from newsletter.sending.digest_run import run_due
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.transports import memory
from newsletter.transports.errors import NotForHealthData
from newsletter.transports.select import bulk_transport
from tests.desk import world
from tests.desk.conftest import desk
from tests.digests import factories
from tests.sending.mailings import planned

__all__ = ["desk"]
pytestmark = pytest.mark.django_db(transaction=True)

# Two relays to choose from: one of our own, and one that nobody recorded.
BOTH = "smtp://own.example:2525?starttls=no&health=yes smtp://other.example:2525?starttls=no"
CLOSED = [
    {"EMAIL_URL": "smtp://relay.example"},
    {"ESP": "test"},
    {"ESP": "test", "ESP_HEALTH_AGREEMENT": "mailgun"},
]


@pytest.fixture(params=CLOSED, ids=["a relay", "an ESP", "an agreement with another"])
def close(request, settings):
    """Close every way out to health data."""

    def close() -> None:
        for name, value in request.param.items():
            setattr(settings, name, value)

    return close


@pytest.fixture(autouse=True)
def empty_outbox():
    memory.outbox.clear()


def mailing_of(kind: str) -> Mailing:
    if kind == "sensitive":
        return planned(2, sensitive=True)
    back = factories.ConditionFactory(name="Herniated disk")
    factories.approved(factories.released(back))
    factories.reader(factories.DigestNewsletterFactory(sensitive=False), back)
    run_due(timezone.now())
    return Mailing.objects.get()


def test_a_sensitive_issue_is_not_approved_while_every_way_is_closed_to_it(desk, close):
    close()
    issue = world.issue(desk.newsletter, desk.author)
    Newsletter.objects.filter(pk=desk.newsletter.pk).update(sensitive=True)
    issue.newsletter.refresh_from_db()

    found = {(finding.code, str(finding.level)) for finding in preflight.check(issue)}

    assert ("transport_not_allowed", "error") in found


@pytest.mark.parametrize("kind", ["sensitive", "digest"])
def test_a_batch_of_such_mail_is_not_sent_and_the_mailing_says_why(kind, close):
    mailing = mailing_of(kind)
    close()

    tasks.deliver_batch(Batch.objects.get().pk)

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert "health" in mailing.trouble
    assert set(Delivery.objects.values_list("state", flat=True)) == {"queued"}
    assert memory.outbox == []


@pytest.mark.parametrize("kind", ["sensitive", "digest"])
def test_under_an_agreement_it_goes(kind, settings):
    from django.core import mail

    mail.outbox = []
    mailing = mailing_of(kind)
    settings.ESP, settings.ESP_HEALTH_AGREEMENT = "test", "test"

    tasks.deliver_batch(Batch.objects.get().pk)

    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}
    assert len(mail.outbox) == Delivery.objects.filter(mailing=mailing).count()


def test_other_mail_before_it_opens_no_way_for_it(settings):
    """One worker sends both kinds: lines kept open for the one are no lines for the other."""
    settings.EMAIL_URL = BOTH
    any_way = bulk_transport(health=False)

    for_health = bulk_transport(health=True)

    assert not any_way.allowed_for_health
    assert for_health.allowed_for_health


def test_an_agreement_that_ended_closes_the_way_at_once(settings):
    settings.ESP, settings.ESP_HEALTH_AGREEMENT = "test", "test"
    assert bulk_transport(health=True).allowed_for_health
    settings.ESP_HEALTH_AGREEMENT = ""

    with pytest.raises(NotForHealthData):
        bulk_transport(health=True)
