"""From the first page to the last mail without touching a mouse."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from signup.models import SignUp, Subscription
from tests.journeys.reading_room import link_of_the_last_mail, open_the_house, tab_to, visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house(conditions=40)
    return live_server.url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_sign_up_needs_no_mouse(
    browser: Browser, address: str, language: str, script: bool
) -> None:
    press = {
        "en": ("Check your inbox", "Welcome. You are signed up", "You are unsubscribed"),
        "es": ("Mire su buzón", "La suscripción está hecha", "Se ha dado de baja"),
    }[language]
    with visitor(browser, width=1280, script=script) as page:
        page.goto(f"{address}/{language}/")
        tab_to(page, "main a.button")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/{language}/sign-up/")

        tab_to(page, "#id_newsletters input")
        page.keyboard.press("Space")
        # Forty-two conditions are folded by group: open the first group, tick in it.
        tab_to(page, ".fold summary")
        page.keyboard.press("Enter")
        tab_to(page, "[name=conditions][value=herniated-disk]")
        page.keyboard.press("Space")
        tab_to(page, "#id_email")
        page.keyboard.type("ada.keys")
        tab_to(page, "#form .button[type=submit]:not([name])")
        page.keyboard.press("Enter")

        # Refused: the focus is in the summary, whose first link leads into the field.
        expect(page.locator(".error-summary")).to_be_focused()
        assert page.title().startswith("Error: ")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#id_email")).to_be_focused()
        expect(page.locator("[value=herniated-disk]")).to_be_checked()
        page.keyboard.press("End")
        page.keyboard.type("@example.org")
        tab_to(page, "#id_consent_mail")
        page.keyboard.press("Space")
        tab_to(page, "#id_consent_health")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(press[0])

        page.goto(link_of_the_last_mail(address))
        expect(page.locator("html")).to_have_attribute("lang", language)
        tab_to(page, "main button")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(press[1])
        live = Subscription.objects.live()
        assert live.count() == 2

        from signup import tokens

        path = f"/{language}/unsubscribe/{tokens.unsubscribe_token(live[0].pk)}/"
        page.goto(address + path)
        tab_to(page, "main button[type=submit]")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(press[2])


def test_search_as_you_type_is_announced_and_keeps_what_is_ticked(
    browser: Browser, address: str
) -> None:
    with visitor(browser, width=1280) as page:
        page.goto(f"{address}/sign-up/")
        expect(page.get_by_role("button", name="Search")).to_be_hidden()
        tab_to(page, "#id_q")
        page.keyboard.type("slípped")
        row = page.locator("[value=herniated-disk]")
        expect(row).to_be_visible()
        expect(page.locator("[value=knee-arthritis]")).to_be_hidden()
        expect(page.locator("[data-finder-status]")).to_have_text("Found: 1")
        tab_to(page, "[value=herniated-disk]")
        page.keyboard.press("Space")
        tab = page.locator("#id_q")
        tab.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("worn")
        expect(page.locator("[value=knee-arthritis]")).to_be_visible()
        expect(row).to_be_visible()
        expect(row).to_be_checked()
        page.keyboard.type("zzz")
        expect(page.locator("[data-finder-status]")).to_contain_text("Nothing found")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/sign-up/")
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        expect(page.locator("[data-finder-status]")).to_have_text("")
        expect(page.locator(".fold")).to_have_count(6)


def test_without_script_the_same_field_searches_by_loading_the_page(
    browser: Browser, address: str
) -> None:
    with visitor(browser, script=False) as page:
        page.goto(f"{address}/sign-up/")
        page.locator("#id_email").fill("ada@example.org")
        page.locator("#id_consent_mail").check()
        page.locator("#id_cadence").select_option("monthly")
        page.get_by_text("Lungs").click()
        page.locator("[name=conditions]:visible").first.check()
        ticked = page.locator("[name=conditions]:checked").get_attribute("value")
        page.get_by_label("Find a condition").fill("slipped disc")
        page.get_by_role("button", name="Search").click()
        # By POST: neither the address nor what was ticked stands in an address.
        assert page.url == f"{address}/sign-up/#found"
        expect(page.locator(".error-summary")).to_have_count(0)
        expect(page.locator("#id_email")).to_have_value("ada@example.org")
        expect(page.locator("#id_consent_mail")).to_be_checked()
        expect(page.locator("#id_consent_health")).not_to_be_checked()
        expect(page.locator("#id_cadence")).to_have_value("monthly")
        expect(page.locator(f"[value={ticked}]")).to_be_checked()
        # The Enter key in the search field searches; anywhere else it sends the form.
        page.get_by_label("Find a condition").fill("disk")
        page.keyboard.press("Enter")
        found = page.locator("#found")
        expect(found).to_contain_text("Found for “disk”")
        expect(page.locator(".error-summary")).to_have_count(0)
        page.get_by_label("Find a condition").fill("slipped disc")
        page.get_by_role("button", name="Search").click()
        expect(found).to_contain_text("Found for “slipped disc”")
        found.get_by_label("Herniated disk").check()
        assert page.locator("[value=herniated-disk]").count() == 1
        expect(page.locator("[value=knee-arthritis]")).to_have_count(1)
        page.locator("#id_consent_health").check()
        page.locator("#id_email").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    chosen = SignUp.objects.get().conditions.values_list("slug", flat=True)
    assert set(chosen) == {"herniated-disk", ticked}


def test_a_likely_slip_is_asked_about_and_mended_by_one_press(
    browser: Browser, address: str
) -> None:
    with visitor(browser) as page:
        page.goto(f"{address}/conditions/herniated-disk/")
        field = page.locator("#id_email")
        field.fill("ada@gmial.com")
        hint = page.get_by_role("status").filter(has_text="Did you mean ada@gmail.com?")
        expect(hint).to_be_visible()
        tab_to(page, ".suggestion button", within=3)
        page.keyboard.press("Enter")
        expect(field).to_have_value("ada@gmail.com")
        expect(field).to_be_focused()
        expect(hint).to_have_count(0)
