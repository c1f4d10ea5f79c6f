"""Every public page in every state, to axe and to the eye: light, dark, narrow, forced colours."""

from collections.abc import Iterator
from pprint import pformat
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from tests.journeys import presses, rooms
from tests.journeys.reading_room import open_the_house, visitor

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
    open_ones = rooms.open_doors() | rooms.mended_doors()
    yield open_ones | rooms.closed_doors() | rooms.FAILING | rooms.pressed_doors()


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


# --- What is looked at ---------------------------------------------------------------------------

TOO_WIDE = "document.documentElement.scrollWidth > innerWidth ? [document.title] : []"

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

PRESSED = """[...document.querySelectorAll(
    'main :is(button, .button, input:not([type=hidden]), select)')]
  .filter(one => one.checkVisibility() && !one.closest('.not-for-people'))
  .filter(one => !['checkbox', 'radio'].includes(one.type))"""
# Buttons and fields are 44 px high at least; the design asks for 48.
TOO_SMALL = f"""{PRESSED}
  .filter(one => one.getBoundingClientRect().height < 44)
  .map(one => one.outerHTML.slice(0, 120))"""
WITHOUT_AN_EDGE = f"""{PRESSED}
  .filter(one => !one.classList.contains('button-link'))
  .filter(one => parseFloat(getComputedStyle(one).borderTopWidth) < 1)
  .map(one => one.outerHTML.slice(0, 120))"""
MOVING = """[...document.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    return style.scrollBehavior === 'smooth'
      || parseFloat(style.transitionDuration) > 0
      || style.animationName !== 'none';
  }).map(one => one.outerHTML.slice(0, 120))"""
TO_PRESS = """[...document.querySelectorAll('button, .button')]
  .filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 120))"""
NO_HEADING = "document.querySelector('h1').checkVisibility() ? [] : ['no heading']"


def looks(page: Page, width: int, scheme: str) -> Iterator[tuple[str, list[str]]]:
    """Look at the page that is open in every way that there is; what is said and what was found."""
    at(page, width)
    report = Axe().run(page, context={"exclude": [["iframe"]]})
    yield "axe", [report.generate_report()] if report.violations_count else []
    for narrow_or_wide in (320, 1600):
        at(page, narrow_or_wide)
        yield f"scrolls sideways at {narrow_or_wide}", page.evaluate(TOO_WIDE)

    at(page, 375)
    yield "too small for a thumb", page.evaluate(TOO_SMALL)
    page.emulate_media(forced_colors="active")
    yield "no edge in forced colours", page.evaluate(WITHOUT_AN_EDGE)
    page.emulate_media(forced_colors="none", reduced_motion="reduce")
    yield "moves for who wants no motion", page.evaluate(MOVING)
    page.emulate_media(reduced_motion="no-preference")

    # WCAG 1.4.4: text at 200 %, without a sideways scroll and with nothing cut off.
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for size in (375, 1280):
        at(page, size)
        yield f"letters of twice the size at {size}", page.evaluate(TOO_LARGE)
    page.evaluate("document.documentElement.style.fontSize = ''")

    at(page, 800)
    page.emulate_media(media="print", color_scheme="dark")
    yield "printed", page.evaluate(NO_HEADING) + page.evaluate(TO_PRESS)
    page.emulate_media(media="screen", color_scheme=scheme)  # type: ignore[arg-type]


def at(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("en", 1280, "light"), ("es", 375, "dark")]
)
def test_every_page_in_every_state_is_good_to_all_eyes_and_hands(
    browser: Browser,
    live_server: LiveServer,
    doors: dict[str, str],
    language: str,
    width: int,
    scheme: str,
) -> None:
    """Each page is opened once, and then narrowed, enlarged, recoloured, stilled and printed."""
    found = {}
    with visitor(browser, width=width, scheme=scheme) as page:
        for name in each(page, live_server, doors, language):
            for what, faults in looks(page, width, scheme):
                if faults:
                    found[f"{name}: {what}"] = faults
    assert not found, pformat(found)


def test_a_mail_that_was_taken_back_says_so_to_all_eyes(
    page: Page, live_server: LiveServer, client: Client
) -> None:
    """Its page runs in a sandbox without scripts, axe's included: its text is looked at alone."""
    open_the_house()
    answer = client.get(rooms.mended_doors()["issue-recalled"] + "mail/")
    assert answer.status_code == GONE
    page.set_content(answer.content.decode())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not [fault for _what, faults in looks(page, 1280, "light") for fault in faults]
