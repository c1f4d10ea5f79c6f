"""The sum in a real browser: in the background, under our content policy, a wall for nobody."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from signup.models import SignUp
from tests.journeys.reading_room import open_the_house, visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]
SOLVED = "document.querySelector('input[name=proof_of_work]').value !== ''"


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house()
    return f"{live_server.url}/sign-up/for/herniated-disk/"


def fill_in(page: Page, email: str = "ada@example.org") -> None:
    page.get_by_label("Your e-mail address").fill(email)
    for box in page.get_by_role("checkbox").all():
        if box.get_attribute("name") in ("consent_mail", "consent_health"):
            box.check()


def press(page: Page) -> None:
    page.locator("#form button[type=submit]").click()


def arrived(page: Page) -> None:
    expect(page.get_by_role("heading", level=1, name="Check your inbox")).to_be_visible(
        timeout=30_000
    )


def test_the_browser_proves_its_work_while_the_form_is_filled_in(
    browser: Browser, address: str, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    with visitor(browser) as page:
        page.goto(address)
        assert not page.evaluate(SOLVED)
        fill_in(page)
        page.wait_for_function(SOLVED, timeout=30_000)
        press(page)
        arrived(page)
    assert SignUp.objects.count() == 1


def test_a_button_pressed_too_early_waits_for_the_sum_and_says_so(
    browser: Browser, address: str, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0

    held: list[Route] = []
    with visitor(browser) as page:
        page.route("**/sign-up/challenge/", lambda route: held.append(route))
        page.goto(address)
        fill_in(page)
        press(page)
        expect(page.locator("#form p.hint[role=status]")).to_have_text(
            "One moment, we are sending this …"
        )
        assert SignUp.objects.count() == 0
        held[0].continue_()
        arrived(page)


def test_where_no_challenge_comes_the_form_works_all_the_same(
    browser: Browser, address: str
) -> None:
    with visitor(browser) as page:
        page.route("**/sign-up/challenge/", lambda route: route.abort())
        page.goto(address)
        fill_in(page)
        press(page)
        arrived(page)
    assert SignUp.objects.count() == 1


def test_without_javascript_the_form_works_under_its_own_limit(
    browser: Browser, address: str, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 1
    with visitor(browser, script=False) as page:
        for email in ("ada@example.org", "bea@example.org"):
            page.goto(address)
            fill_in(page, email)
            press(page)
            if email.startswith("ada"):
                arrived(page)
        expect(page.locator(".error-summary")).to_contain_text("press the button once more")
        expect(page.get_by_label("Your e-mail address")).to_have_value("bea@example.org")
    assert SignUp.objects.count() == 1


def test_the_button_works_again_after_going_back(
    browser: Browser, address: str, settings: Any
) -> None:
    settings.SIGN_UPS_UNPROVED_PER_HOUR = 0
    with visitor(browser) as page:
        page.goto(address)
        fill_in(page)
        press(page)
        arrived(page)
        page.go_back()
        fill_in(page, "bea@example.org")
        press(page)
        arrived(page)
    assert SignUp.objects.count() == 2


def test_the_trap_is_out_of_everybodys_way(browser: Browser, address: str) -> None:
    with visitor(browser) as page:
        page.goto(address)
        trap = page.locator("#id_nickname_2")
        assert trap.get_attribute("tabindex") == "-1"
        assert trap.get_attribute("autocomplete") == "off"
        assert trap.evaluate("field => field.closest('[aria-hidden=true]') !== null")
        box = trap.bounding_box()
        assert (
            box is None
            or box["x"] + box["width"] <= 0
            or box["y"] + box["height"] <= 0
            or (box["width"] <= 1)
        )
