"""Who the demo's readers are."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.management.demo import population
from newsletter.management.demo.population import Story, people
from signup.address import normalise
from signup.models import Subscription


def test_the_same_three_hundred_come_each_time() -> None:
    first = people()
    population.people.cache_clear()
    assert people() == first
    assert len({normalise(person.email).key for person in first}) == 300


def test_nobody_lives_at_an_address_that_could_be_real() -> None:
    assert {person.email.rpartition("@")[2] for person in people()} == {"example.org"}


def test_every_story_is_told() -> None:
    told = Counter(person.story for person in people())
    assert set(told) == set(Story)
    assert told[Story.LIVE] > 200


def test_every_rhythm_and_condition_is_chosen_by_somebody() -> None:
    assert {person.cadence for person in people()} == set(Subscription.Cadence)
    assert len({slug for person in people() for slug in person.conditions}) == 10
    assert {len(person.conditions) for person in people()} >= {0, 1, 2, 3}


def test_readers_live_in_many_time_zones_also_in_those_of_half_hours() -> None:
    zones = {person.timezone for person in people()}
    assert len(zones) >= 40
    now = datetime(2026, 11, 22, 12)
    offsets = {ZoneInfo(zone).utcoffset(now) or timedelta() for zone in zones}
    assert {offset.seconds // 60 % 60 for offset in offsets} == {0, 30, 45}
    assert min(offsets) < timedelta(hours=-8) and max(offsets) > timedelta(hours=13)


def test_who_follows_a_condition_gets_the_digest() -> None:
    for person in people():
        assert bool(person.conditions) == ("my-conditions" in person.newsletters)
