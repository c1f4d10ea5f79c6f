"""The desk with staff in every role, a newsletter with three readers, and a browser for each."""

from types import SimpleNamespace

import pytest
from django.test import Client

from newsletter.desk.models import User
from tests.desk import world


@pytest.fixture
def desk(db: None) -> SimpleNamespace:
    world.publisher()
    letter = world.newsletter()
    people = {name: world.staff(name) for name in world.ROLE_OF}
    for _ in range(3):
        world.reader(letter)
    return SimpleNamespace(newsletter=letter, **people)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
