"""What stands around a sending, in a real browser, where an address alone does not lead: to axe,
on a desk and on a phone, and by keyboard."""

import os
from pprint import pformat
from typing import TYPE_CHECKING

import pytest

from newsletter.desk.models import User
from tests.desk import around_sending, world
from tests.desk.looked_at import desk_of, faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def root(transactional_db) -> User:
    world.publisher()
    return world.staff("root", *world.ROLE_OF.values(), is_superuser=True)


def _chooses_readers_clocks(page: "Page") -> None:
    page.get_by_label("At a day and time by each reader's own clock").check()
    page.get_by_label("Only between certain hours of the day").check()
    page.locator("[data-desk-outlook]").get_by_text("Honolulu").wait_for()


def _opens_the_turns(page: "Page") -> None:
    page.get_by_text("Turn by turn").click()
    page.get_by_role("rowheader", name="Honolulu").wait_for()


def _asks_who_has_it_not(page: "Page") -> None:
    page.get_by_text("Who they are").click()
    page.get_by_label("Reason").fill("To telephone them")
    page.get_by_role("button", name="Open the list").click()
    page.get_by_text("No such user").first.wait_for()


def _starts_from_it(page: "Page") -> None:
    page.get_by_role("button", name="Start an issue").click()
    page.get_by_text("A new draft that begins with").wait_for()


# What is done before a page is looked at, and what leads from it to one more.
FIRST = {"send form": _chooses_readers_clocks, "progress with turns": _opens_the_turns}
THEN = {"reach of what went": _asks_who_has_it_not, "templates": _starts_from_it}


def test_axe_finds_nothing_around_a_sending_and_nothing_sticks_out(
    page: "Page", live_server, root
) -> None:
    wrong: dict[str, object] = {}
    addresses = around_sending.addresses(root, world.staff("reviewer"))
    with desk_of(page, live_server.url, root) as elsewhere:
        for name, path in addresses.items():
            answer = page.goto(live_server.url + path)
            assert answer is not None
            assert answer.status == 200, name
            if first := FIRST.get(name):
                first(page)
            if found := faults(page):
                wrong[name] = found
            if then := THEN.get(name):
                then(page)
                if found := faults(page):
                    wrong[f"{name}, then"] = found
    assert not wrong, pformat(wrong)
    assert not elsewhere
    assert FIRST.keys() | THEN.keys() <= addresses.keys()
