"""From an approved issue to accepted copies."""

import re

import pytest

from newsletter.sending.models import Delivery, Mailing
from newsletter.transports import memory
from tests.sending.mailings import (
    assert_balanced,
    planned,
    reader_addresses,
    run,
    sent_to,
    states,
)

pytestmark = pytest.mark.django_db


def test_every_reader_gets_one_copy_and_the_mailing_ends():
    mailing = planned(7)

    run()

    mailing.refresh_from_db()
    assert sent_to() == reader_addresses(mailing)
    assert states(mailing) == [Delivery.State.ACCEPTED] * 7
    assert mailing.state == Mailing.State.ENDED
    assert mailing.started_at and mailing.ended_at
    assert_balanced(mailing)


def test_each_copy_is_for_one_reader_alone_with_a_working_unsubscribe_header():
    planned(2)

    run()

    one, two = (envelope.content for envelope in memory.outbox)
    for content, envelope in ((one, memory.outbox[0]), (two, memory.outbox[1])):
        head = content.split(b"\r\n\r\n")[0]
        assert b"\r\nTo: Reader <" + envelope.recipient.encode() in b"\r\n" + head
        assert re.search(rb"\r\nList-Unsubscribe: <https?://[^>\s]+/unsubscribe/[^>\s]+/>", head)
        assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
        assert b"Cc:" not in head and b"Bcc:" not in head
    assert memory.outbox[1].recipient.encode() not in one
    ids = {re.search(rb"Message-ID: (\S+)", content)[1] for content in (one, two)}
    assert len(ids) == 2


def test_a_mailing_to_nobody_ends_at_once():
    mailing = planned(0)

    run()
    from newsletter.sending.recover import recover

    recover()

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED
