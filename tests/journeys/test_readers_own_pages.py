"""What a reader chose, changed, paused, stopped and erased, by the keyboard alone."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from newsletter.catalogue.models import Condition
from signup import tokens
from signup.confirm import confirm
from signup.models import Follow, SignUp, Subscriber, Subscription
from tests.archive import published
from tests.journeys.reading_room import (
    assert_accessible,
    link_of_the_last_mail,
    open_the_house,
    tab_to,
    visitor,
)
from tests.signup.filling_in import filled_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = pytest.mark.parametrize("language", ["en", "es"])
SCRIPTS = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def address(live_server: LiveServer) -> str:
    open_the_house(conditions=3)
    return live_server.url


@pytest.fixture
def reader(address: str, client: object) -> Subscriber:
    values = filled_in(conditions=["herniated-disk", "knee-arthritis"])
    assert client.post("/sign-up/", values).status_code == 302  # type: ignore[attr-defined]
    sign_up = SignUp.objects.get()
    confirm(sign_up=sign_up)
    return Subscriber.objects.get(pk=sign_up.subscriber_id)


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


@SCRIPTS
@LANGUAGES
def test_a_link_is_asked_for_and_what_comes_is_changed_without_a_mouse(
    browser: Browser, address: str, reader: Subscriber, language: str, script: bool
) -> None:
    # The link leads to a page in the language of its mail, which is the reader's own.
    Subscriber.objects.filter(pk=reader.pk).update(language=language)
    error, saved = {"en": ("Error: ", "Saved."), "es": ("Error: ", "Guardado.")}[language]
    with visitor(browser, width=1280, script=script) as page:
        page.goto(f"{address}/{language}/preferences/")
        # Refused at first: the focus moves to the summary, whose link leads into the field.
        tab_to(page, "#id_email")
        page.keyboard.press("Enter")
        expect(page.locator(".error-summary")).to_be_focused()
        expect(page.locator(".error-summary")).to_have_attribute("role", "alert")
        assert page.title().startswith(error)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#id_email")).to_be_focused()
        page.keyboard.type("ada@example.org")
        page.keyboard.press("Enter")
        page.wait_for_url("**/preferences/link-mailed/")

        page.goto(link_of_the_last_mail(address, kind="preferences"))
        # One condition is stopped, the other paused; monthly in place of daily.
        tab_to(page, "[name=conditions][value=herniated-disk]")
        page.keyboard.press("Space")
        tab_to(page, "[name=paused][value=knee-arthritis]")
        page.keyboard.press("Space")
        tab_to(page, "#id_cadence")
        page.keyboard.press("End")
        tab_to(page, "#id_first_name")
        page.keyboard.type("www.spam.example")
        tab_to(page, "#form button[type=submit]")
        page.keyboard.press("Enter")

        expect(page.locator(".error-summary")).to_be_focused()
        assert page.title().startswith(error)
        if script:
            assert_accessible(page)
        assert Follow.objects.count() == 2, "nothing is saved by halves"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#id_first_name")).to_be_focused()
        expect(page.locator("[name=paused][value=knee-arthritis]")).to_be_checked()
        page.keyboard.press("Control+A")
        page.keyboard.type("Ada")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text=saved)).to_be_visible()

    follow = Follow.objects.get()
    assert follow.condition.slug == "knee-arthritis"
    assert follow.paused_at is not None
    reader.refresh_from_db()
    assert reader.first_name == "Ada"
    digest = Subscription.objects.get(subscriber=reader, newsletter__kind="digest")
    assert digest.cadence == Subscription.Cadence.MONTHLY


@LANGUAGES
def test_one_more_condition_is_found_among_many_without_a_mouse(
    browser: Browser, address: str, reader: Subscriber, language: str
) -> None:
    for number in range(30):
        published.condition(f"Further {number:02}", group="Skin", synonyms=f"itch {number:02}")
    token = tokens.make(tokens.Purpose.PREFERENCES, reader.pk)
    with visitor(browser, width=375) as page:
        page.goto(f"{address}/{language}/preferences/{token}/")
        tab_to(page, "#id_conditions summary")
        page.keyboard.press("Enter")
        expect(page.locator("[data-finder] button")).to_be_hidden()
        tab_to(page, "#id_q")
        page.keyboard.type("itch 17")
        found = page.locator("[name=conditions][value=further-17]")
        expect(found).to_be_visible()
        expect(page.locator("[name=conditions][value=further-18]")).to_be_hidden()
        expect(page.locator("[name=conditions][value=herniated-disk]")).to_be_visible()
        assert_accessible(page)
        tab_to(page, "[name=conditions][value=further-17]")
        page.keyboard.press("Space")
        tab_to(page, "#id_first_name")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?saved=1")
    assert Follow.objects.filter(condition__slug="further-17").exists()


@LANGUAGES
def test_one_newsletter_is_stopped_from_the_page_and_taken_back_without_a_mouse(
    browser: Browser, address: str, reader: Subscriber, language: str
) -> None:
    gone, back = {
        "en": ("You are unsubscribed", "Welcome back"),
        "es": ("Se ha dado de baja", "Qué bien que vuelva"),
    }[language]
    token = tokens.make(tokens.Purpose.PREFERENCES, reader.pk)
    with visitor(browser, width=1280) as page:
        page.goto(f"{address}/{language}/preferences/{token}/")
        tab_to(page, "button[value^='end:']", within=140)
        page.keyboard.press("Enter")
        heading(page, gone)
        assert Subscription.objects.live().count() == 1
        tab_to(page, "form[action*='/undo/'] button")
        page.keyboard.press("Enter")
        heading(page, back)
    assert Subscription.objects.live().count() == 2


@SCRIPTS
@LANGUAGES
def test_everything_is_left_why_is_told_and_it_is_undone_without_a_mouse(
    browser: Browser, address: str, reader: Subscriber, language: str, script: bool
) -> None:
    gone, thanks, back = {
        "en": ("You are unsubscribed", "Thank you for telling us.", "Welcome back"),
        "es": ("Se ha dado de baja", "Gracias por decírnoslo.", "Qué bien que vuelva"),
    }[language]
    mine = Subscription.objects.live().filter(subscriber=reader)[0]
    with visitor(browser, script=script) as page:
        page.goto(f"{address}/{language}/unsubscribe/{tokens.unsubscribe_token(mine.pk)}/")
        tab_to(page, "#id_this")
        page.keyboard.press("ArrowDown")
        tab_to(page, "main button[type=submit]")
        page.keyboard.press("Enter")
        heading(page, gone)
        assert not Subscription.objects.live().exists()
        tab_to(page, "main summary")
        page.keyboard.press("Enter")
        tab_to(page, "[name=reason]")
        page.keyboard.press("Space")
        tab_to(page, "#form button")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text=thanks)).to_be_visible()
        tab_to(page, "form[action*='/undo/'] button")
        page.keyboard.press("Enter")
        heading(page, back)
    assert Subscription.objects.live().count() == 2


@SCRIPTS
@LANGUAGES
def test_a_reader_erases_everything_without_a_mouse(
    browser: Browser, address: str, reader: Subscriber, language: str, script: bool
) -> None:
    erased = {"en": "Everything is erased", "es": "Todo está borrado"}[language]
    token = tokens.make(tokens.Purpose.PREFERENCES, reader.pk)
    with visitor(browser, width=1280, script=script) as page:
        page.goto(f"{address}/{language}/preferences/{token}/")
        tab_to(page, "main a[href$='/erase/']", within=140)
        page.keyboard.press("Enter")
        page.wait_for_url("**/erase/")
        tab_to(page, "#id_never_again")
        page.keyboard.press("Space")
        assert Subscriber.objects.get(pk=reader.pk).email, "looking erases nothing"
        tab_to(page, "main button[type=submit]")
        page.keyboard.press("Enter")
        heading(page, erased)
    reader.refresh_from_db()
    assert reader.is_erased
    assert Condition.objects.count() == 5
    assert not Follow.objects.exists()
