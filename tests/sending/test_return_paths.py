"""BOUNCE_DOMAIN: every copy has a return path of its own, and only that leads back to it."""

import pytest
from django.utils import timezone

from newsletter.outcomes.bounce_address import delivery_of
from newsletter.sending.digest_run import run_due
from newsletter.sending.gather import gather
from newsletter.sending.models import Delivery
from newsletter.transports import memory
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from tests.digests import factories
from tests.digests.factories import approved, reader, released
from tests.sending.mailings import planned, run

pytestmark = pytest.mark.django_db

DOMAIN = "bounces.wellread.example"


@pytest.fixture(autouse=True)
def _bounce_domain(settings):
    settings.BOUNCE_DOMAIN = DOMAIN


def test_each_copy_has_a_return_path_that_leads_back_to_it_alone():
    planned(3)
    run()

    assert len({envelope.sender for envelope in memory.outbox}) == 3
    for envelope in memory.outbox:
        found = delivery_of(envelope.sender)
        assert found.subscriber.email == envelope.recipient
        # What readers see is still the newsletter.
        assert DOMAIN.encode() not in envelope.content.partition(b"\r\n\r\n")[0]


def test_without_the_setting_bounces_go_to_the_newsletter(settings):
    settings.BOUNCE_DOMAIN = ""
    mailing = planned(2)
    run()

    assert {one.sender for one in memory.outbox} == {mailing.newsletter.from_email}
    assert delivery_of(f"bounce+1-1-{'a' * 20}@{DOMAIN}") is None


def test_a_second_copy_has_the_first_ones_return_path_although_a_key_came(settings):
    settings.SENDING_UNKNOWN_AFTER_SECONDS = 0
    planned(1)
    answers = iter([Receipt(Outcome.UNKNOWN, reply="the line broke"), OK])
    run(MemoryTransport(lambda _: next(answers)))
    settings.TOKEN_KEYS = [(2, b"new" * 11), *settings.TOKEN_KEYS]
    Delivery.objects.update(retry_at=timezone.now())
    gather(timezone.now())
    run()

    first, second = memory.outbox
    assert first.sender == second.sender
    assert delivery_of(second.sender) is not None


def test_a_digests_copies_have_them_too():
    back = factories.ConditionFactory(name="Herniated disk")
    approved(released(back))
    subscription = reader(factories.DigestNewsletterFactory(), back)
    run_due(timezone.now())
    run()

    (sent,) = memory.outbox
    assert delivery_of(sent.sender).subscriber == subscription.subscriber


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "hello@wellread.example",
        f"bounce+1-1-{'0' * 20}@{DOMAIN}",
        "bounce+9-1-aaaaaaaaaaaaaaaaaaaa@elsewhere.example",
    ],
)
def test_what_we_did_not_sign_leads_nowhere(forged):
    planned(1)
    assert delivery_of(forged) is None


def test_a_signature_of_one_copy_does_not_open_another():
    planned(2)
    run()
    local, _, host = memory.outbox[0].sender.partition("@")
    version, _, signature = local.split("-")
    other = Delivery.objects.exclude(pk=delivery_of(memory.outbox[0].sender).pk).get()

    assert delivery_of(f"{version}-{other.pk}-{signature}@{host}") is None
