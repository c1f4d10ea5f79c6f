"""What the browser journeys of readers share: a small site in two languages, and its visitors."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from newsletter.catalogue.models import Publisher
from signup import letter
from signup.models import ConsentText, SystemMail
from tests.archive import published

GROUPS = ("Back and joints", "Heart and circulation", "Lungs", "Mind and mood", "Skin", "Stomach")


def open_the_house(*, conditions: int = 0) -> None:
    """Two newsletters, one sent issue, articles, Spanish approved; `conditions` more on top."""
    Publisher.objects.create(name="Lakeside Clinic", emergency_number="112")
    disk = published.condition()
    knee = published.condition("Knee arthritis", group="Back and joints", synonyms="worn knee")
    for title in ("Walking helps", "Scans and pain"):
        published.release(published.article(title, disk, knee))
    published.sent_issue()
    published.newsletter("My conditions", kind="digest")
    for number in range(conditions):
        published.condition(
            f"Condition {number:03}",
            group=GROUPS[number % len(GROUPS)],
            synonyms=f"complaint {number:03}, ailment",
        )
    approve("es")


def approve(language: str) -> None:
    ConsentText.objects.filter(language=language, approved_at=None).update(
        approved_at=timezone.now(), approved_by="Data protection"
    )


@contextmanager
def visitor(
    browser: Browser, *, width: int = 375, scheme: str = "light", script: bool = True
) -> Iterator[Page]:
    """A browser of one's own; what breaks the content policy, or asks elsewhere, fails the test."""
    with browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
        locale="en-GB",
    ) as context:
        page = context.new_page()
        refused: list[str] = []
        page.on(
            "console",
            lambda message: (
                refused.append(message.text) if "Content Security" in message.text else None
            ),
        )
        yield page
        assert not refused
        assert not context.cookies()


def assert_accessible(page: Page) -> None:
    report = Axe().run(page, context={"exclude": [["iframe"]]})
    assert report.violations_count == 0, f"{page.url}\n{report.generate_report()}"


def assert_not_too_wide(page: Page) -> None:
    width, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= room, f"{page.url} is {width} wide in {room}"


def tab_to(page: Page, selector: str, *, within: int = 90) -> None:
    """Press Tab until the focus is there; each stop on the way can be seen."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        _assert_the_focus_is_seen(page)
    raise AssertionError(f"the keyboard never reaches {selector}")


def _assert_the_focus_is_seen(page: Page) -> None:
    seen = page.evaluate(
        """() => {
          const place = document.activeElement;
          if (place === document.body) return true;
          const box = place.getBoundingClientRect();
          const style = getComputedStyle(place);
          const card = place.closest(".card");
          return box.width > 0 && (style.outlineWidth !== "0px" || card !== null);
        }"""
    )
    assert seen, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def link_of_the_last_mail(address: str, kind: str = "") -> str:
    """The link in the newest system mail, at the test's own server."""
    mails = SystemMail.objects.filter(kind=kind) if kind else SystemMail.objects.all()
    path = letter.link(mails.latest("pk")).partition("://")[2].partition("/")[2]
    return f"{address}/{path}"


def expect_focus_in(page: Page, selector: str) -> None:
    expect(page.locator(selector)).to_be_focused()
