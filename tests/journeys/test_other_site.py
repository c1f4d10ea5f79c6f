"""A form on another web site's plain page: filled in there, taken here, led back there."""

import pytest
from playwright.sync_api import Browser, Route, expect
from pytest_django.fixtures import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from newsletter.catalogue.models import Condition, Newsletter
from signup.models import EmbedForm, SignUp, Subscription
from tests.journeys.reading_room import link_of_the_last_mail, open_the_house
from tests.signup.embedding import html_of, make_form

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The web site is played by the browser itself: nothing leaves this machine.
SITE = "https://clinic.example"
THANKS = f"{SITE}/thank-you/?from=footer"


@pytest.fixture
def form(live_server: LiveServer, settings: SettingsWrapper) -> EmbedForm:
    settings.BASE_URL = live_server.url
    open_the_house()
    return make_form(
        Newsletter.objects.get(kind="editorial"),
        Condition.objects.get(slug="herniated-disk"),
        Condition.objects.get(slug="knee-arthritis"),
        return_pages=THANKS,
    )


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_reader_signs_up_on_another_site_and_comes_back_to_it(
    browser: Browser, live_server: LiveServer, form: EmbedForm, script: bool
) -> None:
    pages = {
        "/": f"<!doctype html><title>Clinic</title><h1>Our clinic</h1>{html_of(form, THANKS)}",
        "/thank-you/": "<!doctype html><title>Thanks</title><h1>Thank you from the clinic</h1>",
    }

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(SITE).partition("?")[0]
        route.fulfill(content_type="text/html; charset=utf-8", body=pages[path])

    with browser.new_context(java_script_enabled=script, locale="en-GB") as context:
        context.route(f"{SITE}/**", serve)
        page = context.new_page()
        page.goto(f"{SITE}/")
        page.get_by_label("Knee arthritis").check()
        page.get_by_label("Your e-mail address").fill("ada@")
        page.get_by_label("Send me what I chose").check()
        page.get_by_role("button", name="Sign up").click()

        # Something is missing: our own page says what, with everything kept.
        expect(page.locator(".error-summary")).to_be_focused()
        assert page.url.startswith(live_server.url)
        expect(page.locator("#id_email")).to_have_value("ada@")
        expect(page.get_by_label("Knee arthritis")).to_be_checked()
        page.locator("#id_email").fill("ada@example.org")
        page.locator("#id_consent_health").check()
        page.locator("#form .button[type=submit]").click()

        # And back on the page that staff listed, with a word and no address.
        expect(page.get_by_role("heading", level=1)).to_have_text("Thank you from the clinic")
        assert page.url == f"{THANKS}&wellread=check-inbox"
        sign_up = SignUp.objects.get()
        assert [one.slug for one in sign_up.conditions.all()] == ["knee-arthritis"]
        assert not context.cookies()

        page.goto(link_of_the_last_mail(live_server.url))
        page.locator("main button").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Welcome. You are signed up")
    assert Subscription.objects.live().exists()


def test_a_page_that_staff_did_not_list_is_not_led_back_to(
    browser: Browser, live_server: LiveServer, form: EmbedForm
) -> None:
    html = html_of(form, THANKS).replace(THANKS.replace("&", "&amp;"), "https://evil.example/")
    assert "evil.example" in html
    with browser.new_context(java_script_enabled=False, locale="en-GB") as context:
        context.route(
            f"{SITE}/**", lambda route: route.fulfill(content_type="text/html", body=html)
        )
        page = context.new_page()
        page.goto(f"{SITE}/")
        page.get_by_label("Living well").check()
        page.get_by_label("Your e-mail address").fill("ada@example.org")
        page.get_by_label("Send me what I chose").check()
        page.get_by_role("button", name="Sign up").click()
        page.wait_for_url(f"{live_server.url}/**")
        assert "evil" not in page.url
