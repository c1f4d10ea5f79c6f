""" "Save draft" while the editor is saving by itself."""

import os
from typing import TYPE_CHECKING

import pytest

from newsletter.editions.models import Issue
from tests.desk import world
from tests.desk.looked_at import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The answers to autosave are long on their way, as on a bad line.
SLOW = """
const real = window.fetch;
window.fetch = async (address, options) => {
  if (options?.headers?.Accept !== "application/json") return real(address, options);
  const answer = await real(address, options);
  await new Promise((done) => setTimeout(done, 3000));
  return answer;
};
"""


def is_autosave(request: "Request") -> bool:
    return request.method == "POST" and request.headers.get("accept") == "application/json"


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def page(browser, live_server, transactional_db):
    world.publisher()
    world.newsletter()
    page = browser.new_page()
    with desk_of(page, live_server.url, world.staff("author")):
        page.add_init_script(SLOW)
        page.goto(f"{live_server.url}/admin/issues/add/")
        saving: list[Request] = []
        page.on("request", lambda one: saving.append(one) if is_autosave(one) else None)
        subject = "A quiet walk"
        page.locator("[name=title]").fill("A short walk")
        while not saving:
            # It looks for changes some time after the page is there.
            subject += "!"
            page.locator("[name=subject]").fill(subject)
            page.wait_for_timeout(700)
        page.locator("[name=preheader]").fill("Typed while it was saving.")
        yield page
    page.close()


def shown(page: "Page") -> str:
    page.locator(".messages li").first.wait_for()
    return page.locator(".messages").inner_text()


def test_saving_for_the_first_time_while_the_editor_does_makes_one_issue(page):
    page.get_by_role("button", name="Save draft").click()

    assert "updated" in shown(page)
    issue = Issue.objects.get().get_latest_revision_as_object()
    assert issue.subject.startswith("A quiet walk!")
    assert issue.preheader == "Typed while it was saving."


def test_what_was_pressed_is_what_is_done_after_the_wait(page):
    """Wagtail's buttons are off while they show that they are at work."""
    save = page.get_by_role("button", name="Save draft")
    save.evaluate("button => { button.name = 'action-submit'; button.value = '1' }")
    save.click()

    # An empty issue can be saved as a draft, and cannot be submitted.
    assert "could not be saved due to errors" in shown(page)
