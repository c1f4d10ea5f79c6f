"""Digests, alerts and what the service itself writes, in a real browser: axe finds nothing, by day
or in the dark, and the HTML is valid. Issues: tests/desk/test_review_accessible.py."""

import os
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.template.loader import render_to_string
from html5lib import html5parser

from newsletter.editions.models import Article
from newsletter.rendering import alert
from newsletter.wire import mjml
from signup.models import SystemMail
from tests.rendering import samples
from tests.running.browser import VIOLATIONS, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
# As for issues: landmarks are the web page's around a mail, and none of WCAG's rules.
NOT_OF_A_MAIL = {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}
SYSTEM = Path(settings.BASE_DIR) / "templates" / "emails" / "system"


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def mails() -> Iterator[tuple[str, str]]:
    digest = samples.digest_copies()
    copy = digest.copies.copy(samples.ANNA, digest.articles, digest.follows)
    part: Any = message_from_bytes(copy, policy=policy.default)
    yield "digest", part.get_body(("html",)).get_content()
    letter = samples.newsletter(slug="alerts", list_id_label="alerts")
    for correction in (False, True):
        html, _text = alert.compose(
            letter,
            Article.objects.earliest("pk"),
            language="en",
            advice="Do not take it. Ask your pharmacist.",
            correction=correction,
        )
        yield f"alert, correction: {correction}", html
    for kind in SystemMail.Kind.values:
        yield kind, mjml.to_html(render_to_string(f"emails/system/{kind}.mjml", _everything()))


def _everything() -> dict[str, Any]:
    """What any of the service's own mails can name."""
    page = "https://letters.example.org/somewhere/"
    names = ("link", "privacy_url", "unsubscribe_url", "preferences_url", "withdraw_url")
    return {
        **dict.fromkeys(names, page),
        "language": "en",
        "rtl": False,
        "title": "Please confirm",
        "publisher_name": "St Elena Back Clinic",
        "postal_address": "12 Harbour Road\n1050 Exampletown",
        "contact_email": "hello@news.example.org",
        "emergency_number": "112",
        "hours": 72,
        "newsletter_name": "Living well",
        "condition_name": "Herniated disk",
        "offered_name": "Back pain",
        "origin": "Clinic, desk 3",
    }


def test_every_kind_of_system_mail_is_looked_at() -> None:
    there = {path.stem for path in SYSTEM.glob("*.mjml") if not path.stem.startswith("_")}
    assert there == set(SystemMail.Kind.values)


def test_axe_and_the_validator_find_nothing(page: "Page") -> None:
    page.route("**/*", lambda route: route.abort())
    page.set_viewport_size({"width": 375, "height": 800})
    axe, told = Axe(), []
    for name, html in mails():
        html5parser.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree")).parse(html)
        page.set_content(html)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            settle(page)
            found = axe.run(page, options={"rules": NOT_OF_A_MAIL, **VIOLATIONS}).response[
                "violations"
            ]
            told += [(name, scheme, v["id"], n["html"][:200]) for v in found for n in v["nodes"]]
    assert told == []
