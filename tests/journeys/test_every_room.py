"""Every public page in every state, to axe and to the eye: light, dark, narrow, forced colours."""

from collections.abc import Iterator
from pprint import pformat
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from tests.journeys import presses, rooms
from tests.journeys.reading_room import (
    assert_accessible,
    assert_not_too_wide,
    open_the_house,
    visitor,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

GOOD, GONE, NOT_FOUND = 200, 410, 404
# What a page answers is part of what it says. All others are good pages.
STATUS = {
    "confirm-expired": GONE,
    "confirm-gone": GONE,
    "preferences-expired": GONE,
    "new-address-expired": GONE,
    "keep-too-late": GONE,
    "embedded-closed": GONE,
    "confirm-damaged": NOT_FOUND,
    "confirm-foreign": NOT_FOUND,
    "preferences-damaged": NOT_FOUND,
    "unsubscribe-damaged": NOT_FOUND,
    "unsubscribe-foreign": NOT_FOUND,
    "withdraw-damaged": NOT_FOUND,
    "new-address-damaged": NOT_FOUND,
    "keep-damaged": NOT_FOUND,
    "error-400": 400,
    "error-403": 403,
    "error-404": NOT_FOUND,
    "error-500": 500,
}
# These say in which language they are by what they are, not by the address.
OWN_LANGUAGE = {
    *("embedded", "embedded-closed", "refused-embed", "slowed-embed", "proof-wanted-embed"),
}


@pytest.fixture
def doors(live_server: LiveServer, settings: SettingsWrapper) -> Iterator[dict[str, str]]:
    settings.ROOT_URLCONF = "tests.journeys.rooms"
    open_the_house(conditions=30)
    yield rooms.open_doors() | rooms.closed_doors() | rooms.FAILING | rooms.pressed_doors()


def each(page: Page, live_server: LiveServer, doors: dict[str, str], language: str) -> Any:
    """Open one door after the other; each answers as it should, in its language."""
    statuses = STATUS | presses.statuses()
    for name, path in doors.items():
        response = page.goto(f"{live_server.url}/{language}{path}")
        assert response is not None
        assert response.status == statuses.get(name, GOOD), name
        if name not in OWN_LANGUAGE:
            expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        yield name


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", 1280, "light"), ("es", 375, "dark")]
)
def test_axe_finds_nothing_in_any_state_of_any_page(
    browser: Browser,
    live_server: LiveServer,
    doors: dict[str, str],
    language: str,
    width: int,
    scheme: str,
) -> None:
    with visitor(browser, width=width, scheme=scheme) as page:
        for _name in each(page, live_server, doors, language):
            assert_accessible(page)


@pytest.mark.parametrize("width", [320, 1600])
@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_scrolls_sideways(
    browser: Browser, live_server: LiveServer, doors: dict[str, str], language: str, width: int
) -> None:
    with visitor(browser, width=width) as page:
        for _name in each(page, live_server, doors, language):
            assert_not_too_wide(page)


# Wider than the window, or cut off where nobody can scroll to it. Tables may scroll by themselves.
TOO_LARGE = """() => {
  const room = document.documentElement.clientWidth;
  const unseen = '.visually-hidden, .not-for-people, .skip-link, .table-scroll *';
  const wide = document.documentElement.scrollWidth > room + 1
    ? [`page ${document.documentElement.scrollWidth} in ${room}`] : [];
  for (const one of document.querySelectorAll('body *')) {
    if (!one.checkVisibility() || one.closest(unseen)) continue;
    const box = one.getBoundingClientRect();
    const hides = getComputedStyle(one).overflowX === 'hidden';
    const cut = hides && one.scrollWidth > one.clientWidth + 1;
    if (cut || box.right > room + 1 || box.left < -1) wide.push(one.outerHTML.slice(0, 120));
  }
  return wide.slice(0, 3);
}"""


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("language", ["en", "es"])
def test_letters_of_twice_the_size_fit_the_window(
    browser: Browser, live_server: LiveServer, doors: dict[str, str], language: str, width: int
) -> None:
    """WCAG 1.4.4: text at 200 %, without a sideways scroll and with nothing cut off."""
    found = {}
    with visitor(browser, width=width) as page:
        for name in each(page, live_server, doors, language):
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            if too_large := page.evaluate(TOO_LARGE):
                found[name] = too_large
    assert not found, pformat(found)


def test_what_can_be_pressed_is_large_enough_for_a_thumb(
    browser: Browser, live_server: LiveServer, doors: dict[str, str]
) -> None:
    """Buttons and fields are 44 px high at least; the design asks for 48."""
    with visitor(browser, width=375) as page:
        for name in each(page, live_server, doors, "en"):
            small = page.locator(
                "main :is(button, .button, input:not([type=hidden]), select)"
            ).evaluate_all(
                """all => all
                  .filter(one => one.checkVisibility() && !one.closest('.not-for-people'))
                  .filter(one => !['checkbox', 'radio'].includes(one.type))
                  .filter(one => one.getBoundingClientRect().height < 44)
                  .map(one => one.outerHTML.slice(0, 120))"""
            )
            assert small == [], name


def test_in_forced_colours_every_button_and_box_still_has_an_edge(
    browser: Browser, live_server: LiveServer, doors: dict[str, str]
) -> None:
    context = browser.new_context(forced_colors="active", viewport={"width": 375, "height": 800})
    with context:
        page = context.new_page()
        for name in each(page, live_server, doors, "en"):
            bare = page.locator(
                "main :is(button, .button, input:not([type=hidden]), select)"
            ).evaluate_all(
                """all => all
                  .filter(one => one.checkVisibility() && !one.closest('.not-for-people'))
                  .filter(one => !['checkbox', 'radio'].includes(one.type))
                  .filter(one => !one.classList.contains('button-link'))
                  .filter(one => parseFloat(getComputedStyle(one).borderTopWidth) < 1)
                  .map(one => one.outerHTML.slice(0, 120))"""
            )
            assert bare == [], name


def test_nothing_moves_for_who_wants_no_motion(
    browser: Browser, live_server: LiveServer, doors: dict[str, str]
) -> None:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 375, "height": 800})
    with context:
        page = context.new_page()
        for name in each(page, live_server, doors, "en"):
            moving = page.evaluate(
                """() => [...document.querySelectorAll('*')].filter(one => {
                  const style = getComputedStyle(one);
                  return style.scrollBehavior === 'smooth'
                    || parseFloat(style.transitionDuration) > 0
                    || style.animationName !== 'none';
                }).length"""
            )
            assert moving == 0, name


def test_every_page_prints_its_words_and_nothing_to_press(
    browser: Browser, live_server: LiveServer, doors: dict[str, str]
) -> None:
    with visitor(browser, width=800, scheme="dark") as page:
        for name in each(page, live_server, doors, "en"):
            page.emulate_media(media="print")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            shown = page.locator("button, .button").evaluate_all(
                "all => all.filter(one => one.checkVisibility()).length"
            )
            assert shown == 0, name
            page.emulate_media(media="screen")
