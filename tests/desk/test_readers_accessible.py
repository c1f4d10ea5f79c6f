"""The readers' pages and the way in, in a real browser: axe finds nothing; keys are enough."""

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.desk import access_log
from newsletter.desk.models import AccessEntry
from newsletter.desk.security import recovery
from signup.models import Follow
from tests.desk import signing_in, world
from tests.desk.signing_in import proven
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(page: "Page", transactional_db, live_server):
    world.publisher()
    letter = world.newsletter()
    protection, admin = world.staff("protection"), world.staff("admin")
    for _ in range(3):
        subscription = world.reader(letter)
    reader = subscription.subscriber
    Follow.objects.create(subscriber=reader, condition=world.condition())
    access_log.write(
        by=protection,
        action=AccessEntry.Action.EXPORTED,
        subscriber=reader,
        reason="Asked by letter",
    )

    def open_as(user, path):
        browser = proven(user)
        page.context.clear_cookies()
        page.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": browser.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": live_server.url,
                }
            ]
        )
        page.goto(live_server.url + path)
        settle(page)
        return page

    return {
        "open": open_as,
        "url": live_server.url,
        "readers": (protection, reverse("desk:readers")),
        "reader": (protection, reverse("desk:reader", args=(reader.pk,))),
        "export": (protection, reverse("desk:export_reader", args=(reader.pk,))),
        "erase": (protection, reverse("desk:erase_reader", args=(reader.pk,))),
        "log": (protection, reverse("desk:access_log")),
        "retention": (protection, reverse("desk:retention")),
        "breach": (protection, reverse("desk:breach")),
        "forms": (protection, reverse("desk:form_counts")),
        "import": (protection, reverse("desk:import_readers")),
        "people": (admin, reverse("desk:people")),
        "prove": (admin, reverse("desk:prove")),
        "own": (admin, reverse("desk:own_factor")),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("readers", "reader", "export", "erase", "log", "retention"),
        *("breach", "forms", "import", "people", "prove", "own"),
    ],
)
def test_axe_finds_nothing_in_our_part_of_the_page(scene, name):
    shown = scene["open"](*scene[name])
    found = Axe().run(shown, context=".nice-padding")
    assert found.response["violations"] == []


@pytest.mark.parametrize("name", ["readers", "breach", "forms", "import"])
def test_a_phone_shows_the_whole_width(scene, name):
    shown = scene["open"](*scene[name])
    shown.set_viewport_size({"width": 375, "height": 800})
    wide = shown.locator(".nice-padding *").evaluate_all(
        """all => all.filter(one => !one.closest(".desk-scroll, .w-sr-only"))
          .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > 376)
          .map(one => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def test_a_breach_is_counted_by_keyboard(scene):
    shown = scene["open"](*scene["breach"])
    shown.get_by_label("What lay open").focus()
    for _field in range(30):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.name") == "reason":
            break
    shown.keyboard.type("A backup was stolen")
    shown.keyboard.press("Enter")
    shown.wait_for_selector("text=3 people are touched")
    assert Axe().run(shown, context=".nice-padding").response["violations"] == []


def test_a_look_is_asked_for_and_shown_by_keyboard(scene):
    shown = scene["open"](*scene["reader"])
    assert "Herniated disk" not in shown.inner_text("main")
    shown.get_by_label("Reason").focus()
    shown.keyboard.type("She asked by telephone")
    shown.keyboard.press("Enter")
    shown.wait_for_selector("text=Herniated disk")
    assert shown.get_by_text("This look is written down").is_visible()


def test_the_whole_way_in_without_a_mouse(scene, page, settings):
    """Password, picture, first code, recovery codes; then again with a code, and with its twin."""
    settings.STAFF_SECOND_FACTOR = "required"
    user = world.staff("author", password=world.PASSWORD)
    page.context.clear_cookies()
    page.goto(scene["url"] + "/admin/")
    page.get_by_label("Username").focus()
    page.keyboard.type("author")
    page.get_by_label("Password").focus()
    page.keyboard.type(world.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-qr svg")
    assert Axe().run(page, context="main").response["violations"] == []
    page.get_by_text("I cannot scan it").click()
    secret = page.inner_text(".desk-key code").replace(" ", "")
    page.get_by_label("Code from the app").fill(signing_in.code_of(_device(secret)))
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-codes li")
    assert Axe().run(page, context="main").response["violations"] == []
    codes = [each.inner_text() for each in page.locator(".desk-codes code").all()]
    assert len(codes) == 8
    page.get_by_role("link", name="I have kept them").click()
    page.wait_for_selector(".desk-home")

    page.context.clear_cookies()
    page.goto(scene["url"] + "/admin/")
    page.get_by_label("Username").fill("author")
    page.get_by_label("Password").fill(world.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=One more step")
    assert Axe().run(page, context="main").response["violations"] == []
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=That code is wrong")
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-home")
    assert page.get_by_text("7 are left").is_visible()
    assert recovery.left(user) == 7
    assert Client().get("/admin/").status_code == 302


def _device(secret: str) -> TOTPDevice:
    import base64

    padded = secret + "=" * (-len(secret) % 8)
    return TOTPDevice(key=base64.b32decode(padded).hex())
