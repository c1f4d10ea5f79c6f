"""A public site with a little of everything on it."""

import pytest
from django.test import Client

from newsletter.catalogue.models import Publisher
from tests.archive import published
from tests.signup.conftest import catalogue

__all__ = ["catalogue"]


@pytest.fixture
def site(db: None) -> None:
    """Two conditions, three articles, two newsletters, one sent issue."""
    Publisher.objects.create(
        name="Lakeside Clinic", emergency_number="116", postal_address="Quay 1"
    )
    disk = published.condition()
    knee = published.condition("Knee arthritis", group="Joints", synonyms="worn knee")
    for title in ("Walking helps", "Scans and pain", "Three stretches"):
        published.release(published.article(title, disk, knee))
    published.sent_issue()
    published.newsletter("My conditions", kind="digest")


@pytest.fixture
def visitor() -> Client:
    """Somebody without a cookie, whose browser is never redirected unseen."""
    return Client(headers={"accept-language": "en"})
