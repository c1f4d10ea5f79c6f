"""Who is slowed down (429) has to type nothing again: on every form, in what they had chosen."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings as SettingsWrapper

from signup.models import SignUp
from tests.signup import embedding
from tests.signup.conftest import Catalogue
from tests.signup.embedding import Fields, make_form, path_of
from tests.signup.filling_in import filled_in

pytestmark = pytest.mark.django_db
TYPED = {"email": "ada@example.org", "cadence": "monthly"}
SEVERAL = ["asthma", "herniated-disk"]
Send = Callable[[Client, Catalogue], tuple[Any, dict[str, Any]]]


def _by_the_page(client: Client, catalogue: Catalogue) -> tuple[Any, dict[str, Any]]:
    values = filled_in(**TYPED, conditions=SEVERAL)
    return client.post("/sign-up/", values), values


def _by_the_short_form(client: Client, catalogue: Catalogue) -> tuple[Any, dict[str, Any]]:
    values = filled_in("ada@example.org")
    del values["newsletters"], values["conditions"], values["cadence"]
    return client.post("/sign-up/for/herniated-disk/", values), values


def _by_an_embed(client: Client, catalogue: Catalogue) -> tuple[Any, dict[str, Any]]:
    form = make_form(catalogue.living_well, catalogue.disk)
    values = embedding.sent(newsletters=["living-well"], conditions=["herniated-disk"])
    return client.post(path_of(form), values), values


@pytest.mark.parametrize("limit", ["SIGN_UPS_PER_NETWORK", "SIGN_UPS_UNPROVED_PER_HOUR"])
@pytest.mark.parametrize("send", [_by_the_page, _by_the_short_form, _by_an_embed])
def test_nothing_that_was_typed_or_ticked_is_lost(
    catalogue: Catalogue, settings: SettingsWrapper, send: Send, limit: str
) -> None:
    client = Client(REMOTE_ADDR="8.8.8.8")
    setattr(settings, limit, 0)
    response, values = send(client, catalogue)
    assert response.status_code == 429
    assert "no-store" in response["Cache-Control"]
    html = response.content.decode()
    assert 'class="error-summary"' in html
    back = Fields(html)
    for name in ("email", "return_to"):
        if name in values:
            assert values[name] in back.values.get(name, []), name
    ticked = {key for key, on in back.boxes.items() if on}
    for name in ("consent_mail", "consent_health"):
        assert ((name, "on") in ticked) == (name in values), name
    for name in ("newsletters", "conditions"):
        chosen = {value for key, value in ticked if key == name}
        assert chosen == set(values.get(name, [])), name
    if "cadence" in values:
        assert re.search(r'<option value="monthly"[^>]* selected', html)
    assert not SignUp.objects.exists(), "nothing was asked of anybody"

    # The very page that came back, sent again when the hour is over, is a good form.
    setattr(settings, limit, 60)
    action = re.search(r'<form class="[^"]*" id="form" method="post" action="([^"]+)"', html)
    assert action is not None
    again = back.values | ({"cadence": ["monthly"]} if "cadence" in values else {})
    assert client.post(action[1], again).status_code == 302
    assert SignUp.objects.get().subscriber.email == "ada@example.org"
