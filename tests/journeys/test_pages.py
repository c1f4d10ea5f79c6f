"""Every public page in a real browser: both languages, light and dark, narrow and wide, to axe."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from newsletter.editions.models import Article, Issue
from signup import tokens
from signup.confirm import confirm
from signup.models import SignUp, Subscription
from tests.journeys.reading_room import (
    assert_accessible,
    assert_not_too_wide,
    open_the_house,
    visitor,
)
from tests.signup.filling_in import filled_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

Purpose = tokens.Purpose


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house(conditions=40)
    return live_server.url


def public_paths() -> list[str]:
    return [
        "/",
        "/conditions/",
        "/conditions/?q=disk",
        "/conditions/?q=zzzz",
        "/conditions/herniated-disk/",
        f"/articles/{Article.objects.latest('pk').slug}/",
        "/issues/",
        f"/issues/{Issue.objects.latest('pk').slug}/",
        "/sample/",
        "/sign-up/",
        "/sign-up/?q=knee",
        "/sign-up/?q=zzzz",
        "/sign-up/for/herniated-disk/",
        "/sign-up/check-your-inbox/",
        "/preferences/",
        "/preferences/link-mailed/",
        "/privacy/",
        "/goodbye/",
        "/nowhere/",
        "/confirm/damaged/",
        "/preferences/damaged/",
        "/unsubscribe/damaged/",
    ]


def personal_paths(client: Any) -> list[str]:
    """Pages behind a token: to confirm, confirmed, expired, preferences, unsubscribe, goodbye."""
    for name in ("ada", "bob"):
        values = filled_in(f"{name}@example.org", newsletters=[], conditions=["herniated-disk"])
        assert client.post("/sign-up/", values).status_code == 302
    waiting, done = SignUp.objects.order_by("pk")
    confirm(sign_up=done)
    live = Subscription.objects.get(subscriber=done.subscriber)
    reader = done.subscriber_id
    return [
        reverse("signup:confirm", args=[tokens.make(Purpose.CONFIRM, waiting.pk)]),
        reverse("signup:confirm", args=[tokens.make(Purpose.CONFIRM, done.pk)]),
        reverse("signup:welcome", args=[tokens.make(Purpose.PREFERENCES, reader)]),
        reverse("signup:preferences", args=[tokens.make(Purpose.PREFERENCES, reader)]),
        reverse("signup:unsubscribe", args=[tokens.unsubscribe_token(live.pk)]),
    ]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend_on_any_page(
    browser: Browser, address: str, client: Any, language: str, scheme: str
) -> None:
    paths = public_paths() + personal_paths(client)
    with visitor(browser, width=1280, scheme=scheme) as page:
        for path in paths:
            page.goto(f"{address}/{language}{path}")
            expect(page.locator("html")).to_have_attribute("lang", language)
            assert_accessible(page)


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


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 1600])
def test_no_page_is_wider_than_its_window(
    browser: Browser, address: str, client: Any, width: int
) -> None:
    paths = public_paths() + personal_paths(client)
    with visitor(browser, width=width) as page:
        for path in paths:
            page.goto(f"{address}/es{path}")
            assert_not_too_wide(page)


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
