"""What the relay says, and what becomes of the reader's copy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.sending import control
from newsletter.sending.balance import counts
from newsletter.sending.deliver import Ending
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.memory import OK, MemoryTransport
from newsletter.transports.values import Outcome, Receipt
from signup.models import Suppression
from tests.sending.mailings import assert_balanced, planned, run, sent_to, states

pytestmark = pytest.mark.django_db

GONE = Receipt(Outcome.PERMANENT, 550, "5.1.1", "no such mailbox")
BUSY = Receipt(Outcome.TEMPORARY, 451, "4.7.1", "greylisted")
OURS = Receipt(Outcome.OURS, 550, "5.7.26", "unauthenticated")
DOWN = Receipt(Outcome.TEMPORARY, None, "", "no connection", about_the_line=True)
NO_LOGIN = Receipt(Outcome.OURS, None, "", "password refused", about_the_line=True)


def answering(*receipts: Receipt) -> MemoryTransport:
    """Answer like that, message by message, and then well."""
    answers = iter(receipts)
    return MemoryTransport(lambda _: next(answers, OK))


def only(mailing: Mailing) -> Delivery:
    return Delivery.objects.get(mailing=mailing)


def test_a_permanent_refusal_keeps_the_reply_and_is_not_tried_again():
    mailing = planned(2)
    run(answering(GONE))
    run(now=timezone.now() + timedelta(days=3))

    refused = Delivery.objects.get(mailing=mailing, state=Delivery.State.REFUSED)
    assert refused.reply == "550 5.1.1 no such mailbox"
    assert refused.attempt == 1
    assert len(sent_to()) == 1
    assert counts(mailing).refused == 1
    assert_balanced(mailing)
    assert Mailing.objects.get().state == Mailing.State.ENDED


def test_a_temporary_refusal_waits_in_the_row_and_is_tried_again():
    mailing = planned(2)
    run(answering(BUSY))

    waiting = Delivery.objects.get(mailing=mailing, retry_at__isnull=False)
    assert waiting.state == Delivery.State.QUEUED
    assert waiting.reply == "451 4.7.1 greylisted"
    assert counts(mailing).open == 1
    assert Mailing.objects.get().state == Mailing.State.SENDING
    run(now=timezone.now() + timedelta(minutes=5))
    assert len(sent_to()) == 1

    run(now=timezone.now() + timedelta(minutes=35))
    assert len(sent_to()) == 2
    assert states(mailing) == ["accepted"] * 2
    assert_balanced(mailing)
    assert Mailing.objects.get().state == Mailing.State.ENDED


def test_a_reader_who_is_always_put_off_is_given_up_after_some_days():
    mailing = planned(1)
    now = timezone.now()
    attempts = 0
    while (row := only(mailing)).state == Delivery.State.QUEUED and attempts < 50:
        now = max(now, row.retry_at or now) + timedelta(seconds=1)
        run(MemoryTransport(lambda _: BUSY), now=now)
        attempts += 1
        # Waits are counted from the real clock, which stands still here.
        if row.retry_at:
            assert row.retry_at - timezone.now() <= timedelta(hours=13)

    row = only(mailing)
    assert row.state == Delivery.State.REFUSED
    assert row.reply.startswith("451")
    assert 8 <= row.attempt <= 16
    assert_balanced(mailing)


def test_5_7_x_stops_the_mailing_says_why_and_blames_no_reader():
    mailing = planned(4)
    run(answering(OK, OURS))

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert mailing.trouble == "550 5.7.26 unauthenticated"
    assert len(sent_to()) == 1
    assert sorted(states(mailing)) == ["accepted", "queued", "queued", "queued"]
    assert not Suppression.objects.exists()
    assert_balanced(mailing)


def test_after_it_was_mended_and_resumed_everybody_gets_theirs():
    mailing = planned(4)
    run(answering(OK, OURS))
    mailing.refresh_from_db()
    control.resume(mailing=mailing)
    assert mailing.trouble == ""

    run()
    run(now=timezone.now() + timedelta(hours=1))

    assert states(mailing) == ["accepted"] * 4
    assert_balanced(mailing)


def test_one_reader_whose_provider_never_takes_us_does_not_stop_it_for_ever():
    mailing = planned(2)
    first = Delivery.objects.filter(mailing=mailing).order_by("pk")[0].subscriber.email
    transport = MemoryTransport(lambda e: OURS if e.recipient == first else OK)
    now = timezone.now()
    for _ in range(4):
        run(transport, now=now)
        mailing.refresh_from_db()
        if mailing.state == Mailing.State.PAUSED:
            control.resume(mailing=mailing)
        now += timedelta(hours=13)

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.ENDED
    assert states(mailing) == ["refused", "accepted"]


def test_a_relay_that_cannot_be_reached_costs_nobody_an_attempt():
    """Waiting for a connection is never an error of the mail."""
    mailing = planned(3)

    class NoRelay(MemoryTransport):
        def open(self):
            raise LineDown("nobody there")

    assert run(NoRelay()) == [Ending.LINE_DOWN]

    assert set(Delivery.objects.values_list("state", "attempt", "retry_at")) == {
        ("queued", 0, None)
    }
    batch = Batch.objects.get(mailing=mailing)
    assert batch.state == Batch.State.READY
    assert batch.not_before > timezone.now() + timedelta(seconds=20)
    assert Mailing.objects.get().state == Mailing.State.SENDING


def test_a_line_that_goes_down_within_a_chunk_puts_the_rest_back():
    mailing = planned(4)

    assert run(answering(OK, DOWN)) == [Ending.LINE_DOWN]

    rows = sorted(Delivery.objects.values_list("state", "attempt"))
    assert rows == [("accepted", 1), ("queued", 0), ("queued", 0), ("queued", 0)]
    assert_balanced(mailing)
    Batch.objects.update(not_before=None)
    run()
    assert states(mailing) == ["accepted"] * 4


@pytest.mark.parametrize("when", ["opening", "sending"])
def test_a_wrong_password_stops_the_mailing_and_tries_nobody(when):
    mailing = planned(3)
    transport = answering(NO_LOGIN)
    if when == "opening":

        class NoLogin(MemoryTransport):
            def open(self):
                raise Misconfigured("password refused")

        transport = NoLogin()

    run(transport)

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.PAUSED
    assert mailing.trouble == "password refused"
    assert set(Delivery.objects.values_list("state", "attempt")) == {("queued", 0)}
    assert_balanced(mailing)


def test_an_unforeseen_error_loses_nothing_that_is_known():
    """Two were accepted, the third was on its way when something broke in our own code."""
    mailing = planned(5)

    class Broken(MemoryTransport):
        def send(self, outgoing):
            for number, one in enumerate(outgoing):
                if number == 2:
                    raise RuntimeError("a bug")
                yield from super().send([one])

    with pytest.raises(RuntimeError):
        run(Broken())

    assert states(mailing) == ["accepted", "accepted", "unknown", "queued", "queued"]
    assert_balanced(mailing)


def test_one_readers_unusable_address_does_not_hold_up_the_others():
    from signup.models import Subscriber

    mailing = planned(3)
    row = Delivery.objects.filter(mailing=mailing).order_by("pk")[1]
    Subscriber.objects.filter(pk=row.subscriber_id).update(
        email="bad@example.org\r\nBcc: x@example.org"
    )

    run()

    assert states(mailing) == ["accepted", "refused", "accepted"]
    row.refresh_from_db()
    assert row.reply.startswith("not sent")
    assert "example.org" not in row.reply
    assert_balanced(mailing)


def test_content_that_is_not_what_was_approved_is_not_sent():
    """Invariant 16, also against somebody who writes to the database."""
    from newsletter.approval.models import Frozen

    mailing = planned(2)
    frozen = Frozen.objects.get(pk=mailing.editions.get().frozen_id)
    content = bytes(frozen.content).replace(b"movement", b"a potion")
    Frozen.objects.filter(pk=frozen.pk).update(content=content)

    run()

    mailing.refresh_from_db()
    assert sent_to() == []
    assert mailing.state == Mailing.State.PAUSED
    assert "approved" in mailing.trouble
