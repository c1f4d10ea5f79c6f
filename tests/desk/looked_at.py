"""What is wrong with a page of the desk, to axe, on a desk and on a phone, and to the keyboard."""

from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

from newsletter.desk.models import User
from tests.desk.signing_in import proven
from tests.running.browser import VIOLATIONS, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 375, "height": 812}}


@contextmanager
def desk_of(page: "Page", address: str, user: User) -> Iterator[set[str]]:
    """Sign `user` in at the server there; yields what is fetched from elsewhere meanwhile."""
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    elsewhere: set[str] = set()
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else elsewhere.add(request.url)
        ),
    )
    session = proven(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}]
    )
    page.set_viewport_size(SIZES["desk"])
    yield elsewhere


def faults(
    page: "Page", *, narrow_too: bool = True, but_for: Set[str] = frozenset()
) -> list[object]:
    """Look at the page that is open: as wide as a desk, then as narrow as a phone, and wide again.

    axe looks at the narrow one only if `narrow_too`. `but_for` are axe's rules not asked.
    """
    settle(page)
    page.keyboard.press("Tab")
    found: list[object] = []
    if page.evaluate("document.activeElement === document.body"):
        found.append("no way in by keyboard")
    for size, room in SIZES.items():
        page.set_viewport_size(room)
        settle(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"sticks out on a {size}")
        if size == "desk" or narrow_too:
            found += _axe(page, size, but_for)
    page.set_viewport_size(SIZES["desk"])
    return found


def _axe(page: "Page", size: str, but_for: Set[str]) -> list[tuple[str, str, object]]:
    violations = Axe().run(page, options={"iframes": False, **VIOLATIONS}).response["violations"]
    return [
        (size, one["id"], [node["target"] for node in one["nodes"]])
        for one in violations
        if one["id"] not in but_for
    ]
