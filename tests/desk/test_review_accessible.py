"""The reviewer's page, the record, the check beside the form and every rendered mail in a real
browser: axe finds nothing, a phone shows all of it, and "Go there" leads to the field."""

import os
from itertools import product
from typing import TYPE_CHECKING

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from html5lib import html5parser

from newsletter.approval.models import Approval
from newsletter.approval.preflight import contrast
from newsletter.catalogue.models import Newsletter, Publisher
from newsletter.editions.models import Issue
from newsletter.rendering import article_page
from newsletter.rendering.issue import compose
from newsletter.rendering.preview import shown
from tests.desk import world
from tests.rendering import samples
from tests.running.browser import VIOLATIONS, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 375, "height": 812}


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def scene(page: "Page", transactional_db, live_server):
    world.publisher()
    letter = world.newsletter()
    author, reviewer = world.staff("author"), world.staff("reviewer")
    world.staff("deputy", "Medical reviewers")
    world.reader(letter)
    article = world.published_article(author, reviewer, sources="NICE: back pain\nCochrane 2025")
    issue = world.issue(letter, author, body=world.body(article))
    world.approve(issue, reviewer)
    text = "<p>Begin with an hour of <a href='https://example.org/x'>walking</a>, then rest.</p>"
    changed = [("rich_text", text), *world.body(article)]
    world.edit(issue, author, body=changed, preheader="Too short")
    issue.get_workflow().start(issue, author)

    def open_as(user, path, size=None):
        if size:
            page.set_viewport_size(size)
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

    approval = Approval.objects.filter(issue=issue).get()
    return {
        "open": open_as,
        "issue": issue,
        "author": author,
        "reviewer": reviewer,
        "read": reverse("desk:read_issue", args=(issue.pk,)),
        "way": reverse("desk:issue", args=(issue.pk,)),
        "record": reverse("desk:record", args=(approval.pk,)),
        "away": reverse("desk:absence"),
    }


@pytest.mark.parametrize("name", ["read", "way", "record", "away"])
def test_axe_finds_nothing_and_a_phone_shows_all_of_it(scene, name):
    page = scene["open"](scene["reviewer"], scene[name])
    for size in (page.viewport_size, PHONE):
        page.set_viewport_size(size)
        settle(page)
        found = Axe().run(page, context=".nice-padding", options={"iframes": False, **VIOLATIONS})
        assert found.response["violations"] == [], size
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size


@pytest.mark.parametrize("name", ["read", "way", "record", "away"])
def test_our_part_of_the_page_is_valid_html(scene, name):
    page = scene["open"](scene["reviewer"], scene[name])
    source = page.request.get(page.url).text()
    ours = source[source.index('<div class="nice-padding') :] if "nice-padding" in source else ""
    ours = source.split('<div class="nice-padding">', 1)[-1].split("</main>")[0]
    parser = html5parser.HTMLParser(strict=False, tree=html5lib.getTreeBuilder("etree"))
    parser.parseFragment("<div>" + ours.rsplit("</div>", 1)[0])
    assert [error for error in parser.errors if "unexpected" not in error[1]] == []


def test_on_a_phone_a_reviewer_returns_with_a_note_and_reads_what_changed(scene):
    page = scene["open"](scene["reviewer"], scene["read"], PHONE)
    assert page.locator("ins").count() >= 1
    page.locator(".desk-notes summary").first.click()
    page.locator(".desk-notes textarea").first.fill("An hour is too long to begin with.")
    page.click("button:has-text('Return with notes')")
    page.wait_for_selector("text=An hour is too long to begin with.")


def test_beside_the_form_the_check_follows_what_is_typed_and_leads_to_the_field(scene):
    issue = scene["issue"]
    issue.current_workflow_state.cancel(user=scene["author"])
    path = reverse("wagtailsnippets_editions_issue:edit", args=(issue.pk,))
    page = scene["open"](scene["author"], path, {"width": 1280, "height": 900})
    page.click("[data-side-panel-toggle='desk-check']")
    page.wait_for_selector("[data-desk-code='preheader_short']")
    found = Axe().run(page, context="[data-desk-check]")
    assert found.response["violations"] == []
    page.fill("#id_subject", "READ THIS NOW")
    page.click("[data-desk-code='shouting'] [data-desk-goto]")
    assert page.evaluate("document.activeElement.id") == "id_subject"
    page.fill("#id_subject", "Ten minutes that help your back")
    page.wait_for_selector("[data-desk-code='shouting']", state="detached")


# --- Every rendered mail -------------------------------------------------------------------------


@pytest.fixture
def mail(transactional_db, settings, tmp_path, request):
    settings.MEDIA_ROOT = tmp_path
    name = request.param
    if name == "article":
        return article_page.compose(samples.rich_article())[0]
    full = samples.full_issue()
    issue = _branded(full) if name == "brand" else _in(full, LANGUAGE_OF.get(name, "en"))
    return shown(compose(issue)[0], html=True)


MAILS = ["every block", "article", "spanish", "arabic", "brand"]
# Landmarks are the web page's around it: a mail with a main of its own would be a second one there.
# Both rules are axe's "best practice", none of WCAG.
NOT_OF_A_MAIL = {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}
LANGUAGE_OF = {"spanish": "es", "arabic": "ar"}


def _in(issue, language):
    return Issue(**{**_values(issue), "language": language})


def _branded(issue):
    copy = Issue(**_values(issue))
    copy.newsletter.brand_colour = "#7A1FA2"
    return copy


def _values(issue):
    names = ("newsletter", "title", "slug", "subject", "preheader", "greeting", "body", "language")
    return {name: getattr(issue, name) for name in names}


@pytest.mark.parametrize("mail", MAILS, indirect=True)
def test_axe_finds_nothing_in_the_mail(page: "Page", mail):
    page.route("**/*", lambda route: route.abort())
    page.set_content(mail)
    told = []
    for width, scheme in product((600, 375), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        settle(page)
        found = (
            Axe().run(page, options={"rules": NOT_OF_A_MAIL, **VIOLATIONS}).response["violations"]
        )
        told += [(width, scheme, v["id"], n["html"][:200]) for v in found for n in v["nodes"]]
    assert told == []


@pytest.mark.parametrize("mail", MAILS, indirect=True)
def test_the_mail_is_valid_html_and_can_be_seen(mail):
    parser = html5parser.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"))
    parser.parse(mail)
    assert list(contrast.findings(mail, [], Newsletter())) == []
    assert Publisher.objects.exists()
