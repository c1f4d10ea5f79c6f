"""When something of ours fails, what was typed stands in the fields again, in both languages."""

import logging
import re
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from redis.exceptions import ConnectionError as RedisGone

from newsletter.catalogue.models import Condition, PublicWords
from signup.views import signing_up
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX, filled_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_database(catalogue: Catalogue) -> Any:
    """The database went away after the form was filled in."""
    values = filled_in(
        "ada@example.org",
        first_name='Ada "A" <b>',
        conditions=["herniated-disk", "asthma"],
        consent_measurement="on",
    )
    with connection.execute_wrapper(_gone):
        yield values


def _gone(*_args: Any) -> Any:
    raise OperationalError("the server closed the connection: ada@example.org")


def test_without_a_database_the_page_says_so_and_keeps_everything(
    client: Client, no_database: dict[str, Any]
) -> None:
    response = client.post("/sign-up/", no_database)
    html = response.content.decode()
    assert response.status_code == 503
    assert response["Retry-After"] == "120"
    assert "no-store" in response["Cache-Control"]
    assert "Something went wrong on our side. Please try again in a couple of minutes." in html
    assert 'value="ada@example.org"' in html
    assert 'value="Ada &quot;A&quot; &lt;b&gt;"' in html
    for slug in ("herniated-disk", "asthma"):
        assert re.search(rf'name="conditions" value="{slug}"[^>]* checked', html)
    for name, value in [
        ("newsletters", "living-well"),
        ("cadence", "daily"),
        ("consent_mail", "on"),
        ("consent_health", "on"),
        ("consent_measurement", "on"),
        ("form_token", no_database["form_token"]),
    ]:
        assert html.count(f'name="{name}" value="{value}"') == 1, name


def test_what_was_chosen_is_called_by_its_name_and_not_by_its_address(
    client: Client, catalogue: Catalogue
) -> None:
    Condition.objects.filter(slug="asthma").update(name="Asthma, all ages & kinds")
    client.get("/sign-up/")
    values = filled_in(conditions=["asthma"])
    with connection.execute_wrapper(_gone):
        html = client.post("/sign-up/", values).content.decode()
    assert "Asthma, all ages &amp; kinds</label>" in html


def test_what_comes_back_is_the_same_form_so_the_second_try_works(
    client: Client, catalogue: Catalogue
) -> None:
    values = filled_in(conditions=["herniated-disk", "asthma"])
    with connection.execute_wrapper(_gone):
        html = client.post("/sign-up/", values).content.decode()
    again: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in attributes:
            again.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    assert client.post("/sign-up/", again)["Location"] == CHECK_INBOX


def test_the_short_form_keeps_its_address_too(client: Client, no_database: dict[str, Any]) -> None:
    html = client.post("/sign-up/for/herniated-disk/", no_database).content.decode()
    assert 'action="/sign-up/for/herniated-disk/"' in html
    assert 'value="ada@example.org"' in html


def test_it_is_said_in_spanish_on_a_spanish_page(
    client: Client, no_database: dict[str, Any]
) -> None:
    html = client.post("/es/sign-up/", no_database).content.decode()
    assert "Algo ha fallado por nuestra parte. Vuelva a intentarlo en un par de minutos." in html
    assert 'action="/es/sign-up/"' in html


def test_the_publishers_own_sentence_is_remembered_while_the_database_is_away(
    client: Client, catalogue: Catalogue
) -> None:
    PublicWords.objects.create(language="en", failure="Sorry, that was us.")
    client.get("/sign-up/")
    values = filled_in()
    with connection.execute_wrapper(_gone):
        assert "Sorry, that was us." in client.post("/sign-up/", values).content.decode()


def test_no_redis_at_all_loses_no_sign_up(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: object, **_named: object) -> None:
        raise RedisGone("nobody there")

    monkeypatch.setattr("redis.connection.ConnectionPool.get_connection", gone)
    assert client.post("/sign-up/", filled_in())["Location"] == CHECK_INBOX


def test_redis_failing_where_nobody_expects_it_is_no_loss_either(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_args: object, **_named: object) -> None:
        raise RedisGone("nobody there")

    monkeypatch.setattr(signing_up, "judged", gone)
    response = client.post("/sign-up/", filled_in())
    assert response.status_code == 503
    assert 'value="ada@example.org"' in response.content.decode()


def test_the_log_says_that_it_happened_and_nothing_of_what_was_typed(
    client: Client, no_database: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        client.post("/sign-up/", no_database)
    assert "OperationalError" in caplog.text
    assert "ada@" not in caplog.text
    assert "herniated" not in caplog.text


def test_a_page_that_is_only_looked_at_has_nothing_to_lose(
    client: Client, catalogue: Catalogue
) -> None:
    client.raise_request_exception = False
    with connection.execute_wrapper(_gone):
        response = client.get("/sign-up/")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()


def test_a_mistake_of_ours_is_not_passed_off_as_an_outage(
    client: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_args: object, **_named: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(signing_up, "judged", wrong)
    with pytest.raises(TypeError):
        client.post("/sign-up/", filled_in())
