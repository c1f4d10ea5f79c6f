"""The data-protection role's pages in a real browser: axe finds nothing in them."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from signup.consent import renewal, seals, texts
from signup.models import ConsentText
from tests.desk import world
from tests.desk.signing_in import proven
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(page: "Page", transactional_db, live_server, tmp_path, settings):
    settings.LEDGER_SEAL_DIR = tmp_path
    world.publisher()
    letter = world.newsletter()
    reader = world.reader(letter).subscriber
    texts.write_draft(
        purpose=ConsentText.Purpose.MAIL, language="en", wording="Write to me.", by="protection"
    )
    renewal.begin(
        newsletter=letter,
        answer_by=timezone.now() + timedelta(days=20),
        reason="Two silent years",
        by="protection",
    )
    seals.seal()
    protection = world.staff("protection")

    def open_page(name):
        browser = proven(protection)
        page.context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": browser.cookies[COOKIE].value,
                    "url": live_server.url,
                }
            ]
        )
        args = {
            "consent_wording": ("mail", "en"),
            "consent_term": (letter.pk,),
            "consent_proof": (reader.pk,),
        }.get(name, ())
        page.goto(live_server.url + reverse(f"desk:{name}", args=args))
        settle(page)
        return page

    return open_page


COOKIE = settings.SESSION_COOKIE_NAME


@pytest.mark.parametrize(
    "name", ["consent", "consent_wording", "renewals", "consent_term", "consent_proof"]
)
def test_axe_finds_nothing_in_our_part_of_the_page(scene, name):
    shown = scene(name)
    found = Axe().run(shown, context=".nice-padding")
    assert found.response["violations"] == []


def test_the_proof_is_shown_and_printed_without_the_desk_around_it(scene):
    shown = scene("consent_proof")
    shown.get_by_label("Reason").fill("Complaint of 20 November")
    shown.get_by_role("button", name="Show it, to print").click()
    shown.wait_for_selector("text=Every line of the ledger")
    assert Axe().run(shown, context=".nice-padding").response["violations"] == []
    shown.emulate_media(media="print")
    assert not shown.locator(".sidebar").first.is_visible()
    assert shown.get_by_text("Subject in the ledger").is_visible()
