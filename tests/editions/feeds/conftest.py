"""A feed at a server on the loopback, and conditions that its entries may be about."""

import pytest

from newsletter.catalogue.models import Condition
from newsletter.editions.feeds import fetch as fetching
from newsletter.editions.models import Feed
from tests.editions.feeds import world
from tests.web import site as sites


@pytest.fixture
def site():
    with sites.site() as server:
        yield server


@pytest.fixture
def back(db) -> Condition:
    return world.condition("Back pain")


@pytest.fixture
def knee(db) -> Condition:
    return world.condition("Knee arthritis")


@pytest.fixture
def feed(back) -> Feed:
    return world.feed(conditions=[back])


@pytest.fixture
def fetch(site):
    """Fetch a feed now, whatever its next time is."""

    def do(feed):
        fetching.ask_for(feed)
        taken = fetching.fetch(feed.pk, way=sites.way_to(site))
        feed.refresh_from_db()
        return taken

    return do
