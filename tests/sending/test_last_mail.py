"""Who was mailed lately, as the expiry of consent asks."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from newsletter.sending.last_mail import mailed_since
from newsletter.sending.models import Delivery
from signup.consent import expiry
from tests.sending.mailings import planned, run

pytestmark = pytest.mark.django_db


def test_only_those_whose_copy_went_out_since_then_count_as_mailed() -> None:
    mailing = planned(3)
    run()
    first, second, third = Delivery.objects.order_by("subscriber")
    Delivery.objects.filter(pk=second.pk).update(state=Delivery.State.REFUSED)
    Delivery.objects.filter(pk=third.pk).update(state=Delivery.State.UNKNOWN)
    everybody = [row.subscriber_id for row in (first, second, third)]
    since = timezone.now() - timedelta(days=1)
    assert mailed_since(mailing.newsletter_id, everybody, since) == {
        first.subscriber_id,
        third.subscriber_id,
    }
    assert mailed_since(mailing.newsletter_id, everybody, timezone.now() + timedelta(1)) == set()
    assert mailed_since(mailing.newsletter_id + 1, everybody, since) == set()


def test_expiry_asks_sending() -> None:
    mailing = planned(1)
    run()
    reader = Delivery.objects.get().subscriber_id
    assert mailed_since in expiry._askers
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        since = timezone.now() - timedelta(days=2)
        assert expiry._askers[0](mailing.newsletter_id, [reader], since) == {reader}
