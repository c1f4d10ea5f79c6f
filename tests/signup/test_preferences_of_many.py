"""The preferences where there is much to choose from."""

import re

import pytest
from django.test import Client

from signup import tokens
from signup.models import Follow, Subscriber
from tests.signup.conftest import make_condition


@pytest.fixture
def path(reader: Subscriber) -> str:
    for number in range(30):
        make_condition(f"trouble-{number:02}", group=("Skin", "Lungs")[number % 2])
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


def boxes(text: str) -> list[str]:
    return re.findall(r'name="conditions" value="([^"]+)"', text)


def test_hundreds_of_conditions_to_follow_stand_in_their_groups(
    browser_client: Client, path: str
) -> None:
    text = browser_client.get(path).content.decode()
    assert re.findall(r"<summary id=[^>]+>(\w+) <span class=\"meta\">\((\d+)\)", text) == [
        ("Lungs", "16"),
        ("Skin", "15"),
    ]
    assert len(boxes(text)) == 32


def test_searching_among_them_without_script_saves_nothing_and_loses_nothing(
    browser_client: Client, path: str, reader: Subscriber
) -> None:
    before = set(Follow.objects.values_list("subscriber_id", "condition_id"))
    filled_in = {
        "action": "save",
        "first_name": "Ada",
        "cadence": "monthly",
        "conditions": ["trouble-03"],
        "q": "trouble-07",
        "q_shown": "",
    }
    for press in ({"find": "1"}, {"enter": "1"}):
        response = browser_client.post(path, filled_in | press)
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        text = response.content.decode()
        found = text.partition('id="found"')[2].partition("data-group")[0]
        assert boxes(found) == ["trouble-07"]
        assert len(boxes(text)) == len(set(boxes(text))) == 32
        assert re.search(r'value="trouble-03"[^>]+checked', text)
        assert not re.search(r'value="herniated-disk"[^>]+ checked', text), "it was unticked"
        assert 'value="Ada"' in text
        assert '<option value="monthly" selected>' in text
        assert "error-summary" not in text
        reader.refresh_from_db()
        assert reader.first_name != "Ada"
        assert set(Follow.objects.values_list("subscriber_id", "condition_id")) == before
    # The very words that were searched for, and Enter in another field: this saves.
    response = browser_client.post(path, filled_in | {"enter": "1", "q_shown": "trouble-07"})
    assert response.status_code == 302
    reader.refresh_from_db()
    assert reader.first_name == "Ada"


def test_a_few_conditions_need_no_search(browser_client: Client, reader: Subscriber) -> None:
    path = f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"
    assert 'name="q"' not in browser_client.get(path).content.decode()
