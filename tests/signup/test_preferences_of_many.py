"""The preferences where there is much to choose from."""

import re

from django.test import Client

from signup import tokens
from signup.models import Subscriber
from tests.signup.conftest import make_condition


def test_hundreds_of_conditions_to_follow_stand_in_their_groups(
    browser_client: Client, reader: Subscriber
) -> None:
    for number in range(30):
        make_condition(f"trouble-{number:02}", group=("Skin", "Lungs")[number % 2])
    path = f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"
    text = browser_client.get(path).content.decode()
    assert re.findall(r"<summary>(\w+) <span class=\"meta\">\((\d+)\)", text) == [
        ("Lungs", "16"),
        ("Skin", "15"),
    ]
    assert text.count('name="conditions"') == 32
