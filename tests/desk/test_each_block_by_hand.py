"""Each block of an issue, put in by keyboard where nothing was, filled in and saved."""

import os
from typing import TYPE_CHECKING

import pytest
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from newsletter.editions.blocks import IssueBody
from newsletter.editions.models import Issue
from newsletter.rendering.issue import compile_issue
from tests.desk import world
from tests.desk.looked_at import desk_of
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What is typed into which field of a block, by the block's name in the picker. A field whose name
# ends in * is rich text; one that ends in + is chosen from a list that opens over the page.
BLOCKS: dict[str, dict[str, str]] = {
    "Heading": {"": "Walk a little, {first_name|dear reader}"},
    "Text": {"*": "Ten minutes a day are enough to begin."},
    "Two columns": {"first-text*": "Sit on a firm chair.", "second-text*": "Lie on your side."},
    "Key facts": {"facts-0-value": "Moving helps more than resting."},
    "Quote": {"text": "I was afraid of the first step."},
    "Divider": {},
    "Article": {"article+": "Walking helps more than resting"},
    "Newest articles": {"conditions-0-value+": "Herniated disk"},
    "Image": {"image+": "A path", "alt_text": "A path between two fields"},
    "Button": {"text": "See all conditions", "url": "/conditions/"},
    "Good to know": {"title": "No shoes needed", "text*": "Any shoes will do."},
    "Seek emergency care": {"signs-0-value": "Numbness between the legs"},
    "Only for followers": {"conditions-0-value+": "Herniated disk"},
    "Feedback": {},
    "Publication": {
        "title": "The back book",
        "text": "Forty pages.",
        "price": "Free",
        "url": "https://example.org/book/",
    },
    "Appeal": {"title": "Help us", "text": "A gift helps.", "url": "https://example.org/give/"},
    "Sponsor": {
        "name": "Example Shoes",
        "text": "Shoes for walking.",
        "link_text": "See our walking shoes",
        "url": "https://example.org/shoes/",
    },
}


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def test_every_block_is_put_in_by_keyboard_and_reaches_the_mail(
    browser, live_server, settings, tmp_path, transactional_db
):
    settings.MEDIA_ROOT = tmp_path
    world.publisher()
    world.newsletter()
    author, reviewer = world.staff("author"), world.staff("reviewer")
    world.published_article(author, reviewer, world.condition())
    get_image_model().objects.create(title="A path", file=get_test_image_file(size=(640, 320)))

    page = browser.new_page()
    with desk_of(page, live_server.url, author) as elsewhere:
        page.goto(f"{live_server.url}/admin/issues/add/")
        page.locator("[name=title]").fill("From nothing")
        page.locator("[name=subject]").fill("A quiet walk does your back good")
        page.locator("[name=preheader]").fill("Short pieces on moving more, and when to ask.")
        for place, (name, fields) in enumerate(BLOCKS.items()):
            _put_in(page, name)
            for field, text in fields.items():
                _fill_in(page, f"body-{place}-value", field, text)
            if name == "Only for followers":
                _write_for_followers(page, place)
        page.get_by_role("button", name="Save draft").click()
        page.locator(".messages .success").wait_for()
        assert elsewhere == set()
    page.close()

    issue = Issue.objects.get().get_latest_revision_as_object()
    kinds = [block.block_type for block in issue.body]
    assert set(kinds) == set(IssueBody().child_blocks) - {"correction"}
    assert len(kinds) == len(BLOCKS)
    text = " ".join(compile_issue(issue).text.split()).casefold()
    typed = {
        said.casefold()
        for fields in BLOCKS.values()
        for name, said in fields.items()
        if not name.endswith(("+", "url")) and "{" not in said
    }
    assert {said for said in typed if said not in text} == set()


def _put_in(page: "Page", name: str) -> None:
    """Below what is there: plus, its name, Enter."""
    body = page.locator("[data-contentpath=body]")
    body.get_by_title("Insert a block").last.press("Enter")
    search = page.get_by_role("combobox", name="Search options").last
    search.fill(name)
    search.press("Enter")


def _fill_in(page: "Page", block: str, field: str, text: str) -> None:
    name = field.rstrip("*+")
    control = page.locator(f"[name='{block}{'-' if name else ''}{name}']")
    if field.endswith("+"):
        control.locator("xpath=ancestor::section[1]").get_by_role("button", name="Choose").press(
            "Enter"
        )
        found = page.locator(".modal-body").get_by_role("link", name=text)
        found.first.wait_for()
        settle(page)  # what opens takes the focus once it has come to rest
        found.first.press("Enter")
        found.first.wait_for(state="detached")
    elif field.endswith("*"):
        control.locator("xpath=..").get_by_role("textbox").press_sequentially(text)
    else:
        control.fill(text)


def _write_for_followers(page: "Page", place: int) -> None:
    inside = page.locator("[data-contentpath=content]").last
    inside.get_by_title("Insert a block").press("Enter")
    search = page.get_by_role("combobox", name="Search options").last
    search.fill("Text")
    search.press("Enter")
    _fill_in(page, f"body-{place}-value-content-0-value", "*", "The new exercises are out.")
