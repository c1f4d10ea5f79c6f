"""The choice to get safety alerts through a pause: off until the reader ticks it."""

import pytest
from django.test import Client

from signup import tokens
from signup.models import Subscriber, Subscription
from tests.signup.conftest import Catalogue
from tests.signup.test_preferences import choices

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(reader: Subscriber) -> str:
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


def test_it_is_off_until_it_is_ticked_and_off_again_when_it_is_not(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    assert not reader.alerts_while_paused
    assert "Send me safety alerts during a pause too" in browser_client.get(page).content.decode()
    browser_client.post(page, choices(alerts_while_paused="on"))
    reader.refresh_from_db()
    assert reader.alerts_while_paused
    browser_client.post(page, choices())
    reader.refresh_from_db()
    assert not reader.alerts_while_paused


def test_a_page_without_a_digest_neither_offers_nor_changes_it(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    Subscriber.objects.filter(pk=reader.pk).update(alerts_while_paused=True)
    Subscription.objects.filter(newsletter=catalogue.digest).update(
        state="ended", ended_reason="preferences", consent=None
    )
    assert "safety alerts during" not in browser_client.get(page).content.decode()
    browser_client.post(page, choices(conditions=[]))
    reader.refresh_from_db()
    assert reader.alerts_while_paused
