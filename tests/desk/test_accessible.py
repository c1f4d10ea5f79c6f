"""The desk's own pages in a real browser: axe finds nothing, and the panel moves."""

import os
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.sending.models import Batch, Mailing
from tests.desk import world
from tests.running.browser import VIOLATIONS, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def scene(page: "Page", transactional_db, live_server):
    world.publisher()
    letter = world.newsletter()
    author, reviewer = world.staff("author"), world.staff("reviewer")
    sender = world.staff("sender")
    world.reader(letter)
    issue = world.issue(letter, author, subject="READ THIS NOW")
    issue.get_workflow().start(issue, author)
    approved = world.issue(letter, author)
    mailing = Mailing.objects.create(
        kind="issue",
        newsletter=letter,
        issue=approved,
        approval=world.approve(approved, reviewer),
        state="sending",
        dated=timezone.now(),
        started_at=timezone.now(),
    )
    Batch.objects.create(mailing=mailing, planned=1000, accepted=100)

    def open_as(user, path):
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.clear_cookies()
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
        )
        page.goto(live_server.url + path)
        settle(page)
        return page

    return {
        "open": open_as,
        "home": (reviewer, reverse("wagtailadmin_home")),
        "review": (reviewer, reverse("desk:issue", args=(issue.pk,))),
        "mailing": (sender, reverse("desk:mailing", args=(mailing.pk,))),
        "lever": (sender, reverse("desk:mailing_lever", args=(mailing.pk, "cancel"))),
        "mailings": (sender, reverse("desk:mailings")),
    }


@pytest.mark.parametrize("name", ["home", "review", "mailing", "lever", "mailings"])
def test_axe_finds_nothing_in_our_part_of_the_page(scene, name):
    shown = scene["open"](*scene[name])
    found = Axe().run(shown, context=".nice-padding", options={"iframes": False, **VIOLATIONS})
    assert found.response["violations"] == []


def test_the_panel_moves_without_a_click(scene):
    shown = scene["open"](*scene["mailing"])
    assert "100 of 1,000 readers" in shown.inner_text("[data-desk-progress]")
    Batch.objects.update(accepted=900)
    shown.wait_for_selector("text=900 of 1,000 readers", timeout=30_000)


def test_a_reviewer_decides_by_button(scene):
    shown = scene["open"](*scene["review"])
    shown.click("text=Read and decide")
    shown.wait_for_selector("button:has-text('Approve')")
    assert shown.is_disabled("button:has-text('Approve')")
    shown.fill("#comment", "Please write the subject calmly.")
    shown.click("button:has-text('Return with notes')")
    shown.wait_for_selector("text=Please write the subject calmly.")
