"""The public pages in a real browser: on a phone, by keyboard, by night, and to a screen reader."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from newsletter.editions.models import Article, Issue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(live_server: LiveServer, site: None) -> str:
    return live_server.url


@pytest.fixture
def paths(address: str) -> list[str]:
    return [
        "/",
        "/conditions/",
        "/conditions/herniated-disk/",
        f"/articles/{Article.objects.latest('pk').slug}/",
        "/issues/",
        f"/issues/{Issue.objects.latest('pk').slug}/",
        "/sample/",
    ]


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 320, "height": 568}) as context:
        yield context.new_page()


def test_the_short_form_fits_on_one_screen_of_a_phone(phone: Page, address: str) -> None:
    phone.goto(f"{address}/conditions/herniated-disk/")
    phone.get_by_role("link", name="Get news about it by e-mail").click()
    phone.wait_for_timeout(800)  # the page may glide there
    for place in ("[name=email]", "[name=consent_mail]", "[name=consent_health]"):
        assert_on_screen(phone, place)
    assert_on_screen(phone, "#sign-up button")
    assert_on_screen(phone, "#sign-up h2")


def test_no_page_is_wider_than_the_narrowest_phone(
    narrow: Page, address: str, paths: list[str]
) -> None:
    for path in paths:
        narrow.goto(address + path)
        width = narrow.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, f"{path} is {width} wide"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(
    browser: Browser, address: str, paths: list[str], scheme: str
) -> None:
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        for path in paths:
            page.goto(address + path)
            report = Axe().run(page, context={"exclude": [["iframe"]]})
            assert report.violations_count == 0, f"{path}\n{report.generate_report()}"


def test_every_target_is_big_enough_for_a_shaking_finger(phone: Page, address: str) -> None:
    phone.goto(f"{address}/")
    for link in phone.locator("nav a, .button, .masthead-name").all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 47.5, link.inner_text()


def test_the_keyboard_meets_the_skip_link_first_and_sees_where_it_is(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/")
    page.keyboard.press("Tab")
    skip = page.locator(".skip-link")
    assert skip.evaluate("element => element === document.activeElement")
    assert skip.evaluate("element => element.getBoundingClientRect().top") >= 0
    assert skip.evaluate("element => getComputedStyle(element).backgroundColor") == (
        "rgb(255, 210, 63)"
    )
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_a_mail_stands_at_its_full_height_and_its_links_open_around_it(
    page: Page, address: str
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{address}/issues/{Issue.objects.latest('pk').slug}/")
    page.wait_for_timeout(500)
    frame = page.locator("iframe")
    inner = frame.evaluate("element => element.contentDocument.documentElement.scrollHeight")
    outer = frame.evaluate("element => element.clientHeight")
    assert outer >= inner > 200
    base = page.frame_locator("iframe").locator("base")
    assert base.get_attribute("target") == "_top"
    assert not [line for line in complaints if "Content Security Policy" in line]


def test_our_typefaces_come_from_our_own_server(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/conditions/herniated-disk/")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
    )
    assert any("Atkinson" in family for family in loaded)
    assert any("Source Serif" in family for family in loaded)
    assert all(url.startswith((address, "data:")) for url in asked)
    assert not page.context.cookies()


def test_everything_can_be_read_and_sent_without_javascript(
    browser: Browser, address: str, paths: list[str]
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        for path in paths:
            page.goto(address + path)
            assert page.locator("h1").is_visible()
        page.goto(f"{address}/conditions/")
        page.get_by_label("Search for a condition").fill("slipped")
        page.get_by_role("button", name="Search").click()
        assert page.get_by_role("link", name="Herniated disk").is_visible()


def assert_on_screen(page: Page, selector: str) -> None:
    box = page.locator(selector).first.bounding_box()
    viewport = page.viewport_size
    assert box is not None
    assert viewport is not None
    assert box["y"] >= 0, f"{selector} is {box['y']} above the screen"
    assert box["y"] + box["height"] <= viewport["height"], f"{selector} ends at {box}"
