"""Every page of the desk in a real browser, as its URLs are: axe finds nothing on the whole of it,
nothing is fetched from elsewhere, a phone shows all of it, and it can be entered by keyboard."""

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

from newsletter.desk.models import User
from tests.desk import world
from tests.desk.every_address import every_address, one_of_everything
from tests.desk.signing_in import proven
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# The walk in so many pieces, so that none takes minutes.
PARTS = 8
SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 375, "height": 812}}
# Not a page of its own: a mail in a frame, which tests/desk/test_review_accessible.py looks at.
MAIL = ("desk:preview", "desk:as_reader_mail", "preview_on", "revisions_view", "workflow_preview")
# For people who make pages, of which there are none: out of every menu.
NO_PAGES = (
    "wagtailadmin_pages:",
    "wagtailadmin_explore",
    "wagtailsites:",
    "wagtailadmin_workflows:",
    "wagtailadmin_collections:",
    "wagtailadmin_reports:aging",
    "wagtailadmin_reports:page_types",
    "wagtailadmin_reports:locked",
    "wagtailsnippets:index",
    "wagtailadmin_error_test",
    "wagtailadmin_block_preview",
    "wagtailadmin_logout",
)
# Wagtail's own template prints a heading from a name that its view never gives.
WAGTAILS_OWN = {("wagtailadmin_reports:workflow", "empty-heading")}


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def root(transactional_db) -> User:
    """Somebody who may open everything, and the things to open."""
    world.publisher()
    people = {name: world.staff(name) for name in world.ROLE_OF}
    letter = world.newsletter(name="Donaudampfschifffahrtsgesundheitsnachrichtenblatt")
    world.reader(letter)
    root = world.staff("root", *world.ROLE_OF.values(), is_superuser=True)
    desk = SimpleNamespace(newsletter=letter, **people)
    root.things = one_of_everything(
        desk, letter, world.condition("Asma y otras enfermedades"), "Long"
    )
    return root


def pages_of(root: User, part: int) -> list[tuple[str, str]]:
    """Each address of this part that answers with a whole page."""
    client = proven(root)
    found = []
    for name, url in list(every_address(root.things))[part::PARTS]:
        if any(part in name for part in MAIL) or name.startswith(NO_PAGES):
            continue
        answer = client.get(url)
        whole = answer.get("Content-Type", "").startswith("text/html") and not answer.streaming
        if answer.status_code == 200 and whole and b"</html>" in answer.content:
            found.append((name, url))
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(
    page: "Page", live_server, root, part
):
    """Each page is opened once, on a desk, and then made as narrow as a phone."""
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    elsewhere: set[str] = set()
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((live_server.url, "data:", "blob:"))
            else elsewhere.add(request.url)
        ),
    )
    session = proven(root).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    axe, wrong, walked = Axe(), {}, 0
    for name, url in pages_of(root, part):
        page.set_viewport_size(SIZES["desk"])
        page.goto(live_server.url + url)
        settle(page)
        page.keyboard.press("Tab")
        found: list[object] = []
        if page.evaluate("document.activeElement === document.body"):
            found.append("no way in by keyboard")
        for size, window in SIZES.items():
            page.set_viewport_size(window)
            settle(page)
            found += [
                (size, one["id"], [node["target"] for node in one["nodes"]])
                for one in axe.run(page, options={"iframes": False}).response["violations"]
                if (name, one["id"]) not in WAGTAILS_OWN
            ]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append((size, "sticks out"))
        if found:
            wrong[f"{name} {url}"] = found
        walked += 1
    assert wrong == {}
    assert elsewhere == set()
    assert walked >= 5
