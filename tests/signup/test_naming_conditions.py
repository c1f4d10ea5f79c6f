"""“Name my conditions in the subject line”: offered where a newsletter allows it, and never ticked
by anybody but the reader."""

import pytest
from django.test import Client

from newsletter.catalogue.models import Newsletter
from signup import tokens
from signup.models import ConsentEntry, Subscriber
from signup.privacy.erase import erase
from signup.privacy.holder import SignupHolder
from tests.signup.conftest import Catalogue
from tests.signup.test_preferences import choices

BOX = 'name="conditions_in_subject"'


@pytest.fixture
def page(reader: Subscriber) -> str:
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


@pytest.fixture
def allowed(catalogue: Catalogue) -> None:
    Newsletter.objects.filter(pk=catalogue.digest.pk).update(
        conditions_in_subject=True, sensitive=False
    )


def exported(reader: Subscriber) -> object:
    return SignupHolder().export(reader)["conditions_in_subject"]


@pytest.mark.usefixtures("allowed")
def test_the_reader_chooses_it_and_takes_it_back(
    browser_client: Client, reader: Subscriber, page: str
) -> None:
    assert BOX in browser_client.get(page).content.decode()
    for sent, stands in (({"conditions_in_subject": "on"}, True), ({}, False)):
        browser_client.post(page, choices(**sent))
        reader.refresh_from_db()
        assert reader.conditions_in_subject is stands
        assert exported(reader) is stands


@pytest.mark.usefixtures("allowed")
def test_erasure_forgets_it(reader: Subscriber) -> None:
    Subscriber.objects.filter(pk=reader.pk).update(conditions_in_subject=True)
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    reader.refresh_from_db()
    assert reader.conditions_in_subject is False


@pytest.mark.parametrize("changes", [{}, {"conditions_in_subject": True, "sensitive": True}])
def test_it_is_not_offered_where_the_newsletter_does_not_allow_it(
    browser_client: Client,
    reader: Subscriber,
    page: str,
    catalogue: Catalogue,
    changes: dict[str, bool],
) -> None:
    Newsletter.objects.filter(pk=catalogue.digest.pk).update(**changes)
    assert BOX not in browser_client.get(page).content.decode()
    browser_client.post(page, choices(conditions_in_subject="on"))
    reader.refresh_from_db()
    assert reader.conditions_in_subject is False
