"""A test goes to staff, says that it is one, and touches no reader."""

import re

import pytest

from newsletter.management import test_mailing
from newsletter.sending.models import Delivery, Mailing
from newsletter.sending.test_send import send_test
from newsletter.transports import memory
from newsletter.transports.errors import NotForHealthData
from newsletter.transports.values import Outcome
from newsletter.wire.headers import UnsafeValue

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue():
    found, _ = test_mailing.make_approved_issue(test_mailing.make_newsletter())
    return found


def test_it_is_marked_and_sent_to_each_address_on_its_own(issue):
    receipts = send_test(issue, ["ed@wellread.example", "rev@wellread.example"])

    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED] * 2
    assert [e.recipient for e in memory.outbox] == ["ed@wellread.example", "rev@wellread.example"]
    for envelope in memory.outbox:
        assert b"\r\nSubject: [Test] A test mailing\r\n" in envelope.content
    assert issue.subject == "A test mailing"


def test_it_leaves_no_trace_among_mailings(issue):
    send_test(issue, ["ed@wellread.example"])

    assert not Mailing.objects.exists()
    assert not Delivery.objects.exists()


def test_its_links_end_no_subscription(issue):
    send_test(issue, ["ed@wellread.example"])

    content = memory.outbox[0].content.replace(b"=\r\n", b"")
    assert re.search(rb"List-Unsubscribe: <[^>]+/sample/>", content)
    assert b"/unsubscribe/" not in content


@pytest.mark.parametrize("addresses", [[], ["a@wellread.example"] * 16])
def test_it_goes_to_one_to_fifteen_addresses(issue, addresses):
    with pytest.raises(ValueError, match="addresses"):
        send_test(issue, addresses)
    assert memory.outbox == []


def test_one_unusable_address_stops_it_before_anything_is_sent(issue):
    with pytest.raises(UnsafeValue):
        send_test(issue, ["ed@wellread.example", "x@wellread.example\r\nBcc: y@wellread.example"])
    assert memory.outbox == []


def test_a_sensitive_newsletter_is_tested_by_an_allowed_way_only(issue, settings):
    issue.newsletter.sensitive = True
    settings.ESP = "test"
    with pytest.raises(NotForHealthData):
        send_test(issue, ["ed@wellread.example"])
