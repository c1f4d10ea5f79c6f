"""Whose clock: the publisher's until a reader says so; a browser may propose, a reader saves."""

import pytest
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from signup import tokens
from signup.models import Subscriber

PROPOSED = "data-first-time"


def link(reader: Subscriber, door: str) -> str:
    return f"/{door}/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


@pytest.mark.once
def test_only_the_first_page_proposes_and_never_over_what_was_chosen(
    client: Client, reader: Subscriber
) -> None:
    assert PROPOSED in client.get(link(reader, "welcome")).content.decode()
    assert PROPOSED not in client.get(link(reader, "preferences")).content.decode()
    wrong = {"action": "save", "timezone": "UTC", "pause_until": "no day"}
    assert PROPOSED not in client.post(link(reader, "welcome"), wrong).content.decode()
    Subscriber.objects.filter(pk=reader.pk).update(timezone="Asia/Tokyo")
    assert PROPOSED not in client.get(link(reader, "welcome")).content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_browser_in_new_york_proposes_its_clock_and_saves_nothing(
    browser: Browser, live_server: LiveServer, reader: Subscriber
) -> None:
    with browser.new_context(timezone_id="America/New_York") as context:
        page = context.new_page()
        page.goto(live_server.url + link(reader, "welcome"))
        page.wait_for_function("document.readyState === 'complete'")
        assert page.get_by_label("Your time zone").input_value() == "America/New_York"
        reader.refresh_from_db()
        assert reader.timezone == "UTC"
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_text("Saved.").wait_for()
    reader.refresh_from_db()
    assert reader.timezone == "America/New_York"
