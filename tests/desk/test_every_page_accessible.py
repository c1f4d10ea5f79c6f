"""Every page of the desk in a real browser, as its URLs are: axe finds nothing on the whole of it,
nothing is fetched from elsewhere, a phone shows all of it, and it can be entered by keyboard."""

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from newsletter.desk.models import User
from tests.desk import world
from tests.desk.every_address import every_address, one_of_everything
from tests.desk.looked_at import desk_of, faults
from tests.desk.signing_in import proven

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# The walk in so many pieces, so that none takes minutes.
PARTS = 6
# Not a page of its own: a mail in a frame, which tests/desk/test_review_accessible.py looks at.
MAIL = (
    "desk:preview",
    "desk:as_reader_mail",
    "desk:issue_sample",
    "desk:profile_mail",
    "desk:dry_run_sample",
    "desk:alert_preview",
    "preview_on",
    "revisions_view",
    "workflow_preview",
)
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


# Which of the addresses answer with a whole page, and with which template; asked once.
_whole: dict[int, str] = {}


def pages_of(root: User, part: int) -> list[tuple[str, str, str]]:
    """Template, name and URL of each whole page of this part; those of one template together."""
    addresses = list(every_address(root.things))
    if not _whole:
        client = proven(root)
        for number, (name, url) in enumerate(addresses):
            if any(part in name for part in MAIL) or name.startswith(NO_PAGES):
                continue
            answer = client.get(url)
            html = answer.get("Content-Type", "").startswith("text/html") and not answer.streaming
            if answer.status_code == 200 and html and b"</html>" in answer.content:
                template = getattr(answer, "template_name", None) or answer.templates[0].name
                _whole[number] = str(template)
    found = sorted((template, *addresses[number]) for number, template in _whole.items())
    return found[len(found) * part // PARTS : len(found) * (part + 1) // PARTS]


@pytest.mark.parametrize("part", range(PARTS))
def test_axe_finds_nothing_on_any_page_and_nothing_sticks_out(
    page: "Page", live_server, root, part
):
    """Each page is opened once, on a desk, and then made as narrow as a phone.

    There axe looks at one page of each template: it narrows alike whatever it is filled with.
    """
    wrong, walked = {}, 0
    narrowed: set[str] = set()
    with desk_of(page, live_server.url, root) as elsewhere:
        for template, name, url in pages_of(root, part):
            page.goto(live_server.url + url)
            found = faults(
                page,
                narrow_too=template not in narrowed,
                but_for={rule for there, rule in WAGTAILS_OWN if there == name},
            )
            narrowed.add(template)
            if found:
                wrong[f"{name} {url}"] = found
            walked += 1
    assert wrong == {}
    assert elsewhere == set()
    assert walked >= 5
