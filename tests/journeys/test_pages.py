"""Public pages in a real browser: forms that were refused or failed, the dark, and paper."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

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


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house(conditions=40)
    return live_server.url


@pytest.mark.parametrize("language", ["en", "es"])
def test_axe_finds_nothing_on_a_form_that_was_refused_or_failed(
    browser: Browser, address: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from signup.views import signing_up

    with visitor(browser) as page:
        for path in ("/sign-up/", "/sign-up/for/herniated-disk/"):
            page.goto(f"{address}/{language}{path}")
            page.locator("#id_email").fill("ada@gmial.com")
            page.locator("#form button[type=submit]").last.click()
            expect(page.locator(".error-summary")).to_be_focused()
            assert_accessible(page)
            assert_not_too_wide(page)

        def gone(*_args: object, **_named: object) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(signing_up, "SignUpForm", gone)
        page.goto(f"{address}/{language}/sign-up/for/herniated-disk/")
        page.locator("#id_email").fill("ada@example.org")
        page.locator("#form").evaluate(
            "(form, path) => { form.action = path; form.submit(); }", f"/{language}/sign-up/"
        )
        expect(page.locator("[role=alert]")).to_be_focused()
        expect(page.locator("#id_email")).to_have_value("ada@example.org")
        assert_accessible(page)


def test_boxes_are_seen_in_the_dark(browser: Browser, address: str) -> None:
    with visitor(browser, scheme="dark") as page:
        page.goto(f"{address}/sign-up/")
        box = page.locator("#id_consent_mail")
        assert box.evaluate("box => getComputedStyle(box).borderColor") == "rgb(138, 150, 154)"
        box.check()
        assert box.evaluate("box => getComputedStyle(box).backgroundColor") == "rgb(127, 209, 199)"


def test_on_paper_there_is_text_and_nothing_to_press(browser: Browser, address: str) -> None:
    with visitor(browser, width=800, scheme="dark") as page:
        page.goto(f"{address}/conditions/herniated-disk/")
        page.emulate_media(media="print")
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        expect(page.locator("#sign-up")).to_be_hidden()
        expect(page.locator(".languages")).to_be_hidden()
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
