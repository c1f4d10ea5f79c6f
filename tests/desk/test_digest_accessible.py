"""The desk's pages about digests in a real browser: axe finds nothing, and nothing overflows."""

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse

from newsletter.desk.models import DigestCanary, ReaderProfile
from tests.desk import world
from tests.desk.signing_in import proven
from tests.digests import factories
from tests.digests.alerts import approved_article, marked, sent
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scene(page: "Page", transactional_db, live_server):
    cache.clear()
    world.publisher()
    author, reviewer, admin = (world.staff(name) for name in ("author", "reviewer", "admin"))
    back = factories.ConditionFactory(name="Herniated disk")
    subscription = factories.reader(factories.DigestNewsletterFactory(), back)
    DigestCanary.objects.create(subscription=subscription)
    profile = ReaderProfile.objects.create(name="Back", is_new=True)
    profile.conditions.add(back)
    article = approved_article(back, by=author)
    open_alert = marked(approved_article(back, by=author), by=author)
    gone = sent(article)
    paths = {
        "overview": (admin, reverse("desk:digests")),
        "conditions": (admin, reverse("desk:digest_conditions")),
        "retire": (admin, reverse("desk:retire_condition", args=(back.pk,))),
        "next run": (admin, reverse("desk:dry_run")),
        "profile": (reviewer, reverse("desk:profile", args=(profile.pk,))),
        "watched": (admin, reverse("desk:canaries")),
        "alerts": (reviewer, reverse("desk:alerts")),
        "mark": (author, reverse("desk:mark_alert", args=(article.pk,))),
        "to sign": (reviewer, reverse("desk:alert", args=(open_alert.pk,))),
        "report": (reviewer, reverse("desk:alert", args=(gone.pk,))),
    }

    def show(name):
        user, path = paths[name]
        value = proven(user).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}]
        )
        page.goto(live_server.url + path)
        settle(page)
        return page

    return paths, show


def test_axe_finds_nothing_and_nothing_overflows_on_a_phone(scene):
    paths, show = scene
    for name in paths:
        shown = show(name)
        shown.set_viewport_size({"width": 1280, "height": 900})
        found = Axe().run(shown, context=".nice-padding").response["violations"]
        assert found == [], name
        shown.set_viewport_size({"width": 375, "height": 800})
        wide = shown.evaluate(
            "[...document.querySelectorAll('.nice-padding section, .nice-padding nav, "
            ".nice-padding form')]"
            ".filter(e => e.getBoundingClientRect().right > 376).map(e => e.outerHTML.slice(0, 99))"
        )
        assert wide == [], name
