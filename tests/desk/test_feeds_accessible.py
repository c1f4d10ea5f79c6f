"""The pages of feeds in a real browser: axe finds nothing, and a phone shows all of it."""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.editions.feeds import take
from newsletter.editions.feeds.read import read
from newsletter.editions.models import Feed, FeedRule
from tests.desk import world
from tests.editions.feeds import world as feeds
from tests.running.browser import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"phone": {"width": 375, "height": 812}, "desk": {"width": 1280, "height": 900}}


@pytest.fixture(autouse=True)
def _playwright_keeps_a_loop(monkeypatch):
    """Playwright's sync API runs an event loop in this thread, which Django takes for async."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def _addresses() -> dict[str, str]:
    """A feed that works and brought something, one that is dead, the list, and both forms."""
    world.publisher()
    now = timezone.now()
    back, knee = world.condition("Back pain"), world.condition("Arthritis of the knee joint")
    live = feeds.feed(
        name="Journal of Exercise and Rehabilitation Medicine: new articles",
        url="https://journal.example/rss/exercise-and-rehabilitation/current.xml",
        conditions=[back],
        rules=[("knee, arthr*", FeedRule.Where.ANYWHERE, knee)],
    )
    document = feeds.rss(
        *(feeds.item(n, title=f"Strength training after surgery, part {n}") for n in range(4)),
        feeds.item(9, title="Donaudampfschifffahrtsgesellschaftskapitänsmützen are news"),
    )
    entries = read(document, url=live.url, now=now).entries
    take.take(live, entries)
    live.items.filter(pk=live.items.first().pk).update(changed_at=now)
    live.items.filter(pk=live.items.last().pk).update(state="unmatched", article=None)
    Feed.objects.filter(pk=live.pk).update(tried_at=now, fetched_at=now, brought_at=now)
    dead = feeds.feed(name="Ministry of Health", url="https://ministry.example/news.rss")
    Feed.objects.filter(pk=dead.pk).update(
        tried_at=now,
        failures=7,
        failing_since=now - timedelta(days=4),
        trouble=Feed.Trouble.NOT_A_FEED,
        detail="That is a web page, not a feed. It names this feed: https://ministry.example/f.xml",
    )
    return {
        "list": "/admin/feeds/",
        "works": reverse("desk:feed", args=(live.pk,)),
        "dead": reverse("desk:feed", args=(dead.pk,)),
        "form": f"/admin/feeds/edit/{dead.pk}/",
        "new": "/admin/feeds/add/",
        "home": "/admin/",
    }


def test_feeds_can_be_used_by_everybody(page: "Page", transactional_db, live_server):
    addresses = _addresses()
    client = Client()
    client.force_login(world.staff("author"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    # Where pictures are wanted, for people to look at.
    pictures = os.environ.get("PICTURES_OF_FEEDS")
    faults = []
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            settle(page)
            if pictures:
                page.screenshot(path=Path(pictures) / f"{name}-{size}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                faults.append(f"{name} on a {size} is {wide} px too wide")
            found = Axe().run(page).response["violations"]
            faults += [
                f"{name} on a {size}: {one['id']} {one['nodes'][0]['html'][:160]}" for one in found
            ]
    assert not faults, "\n".join(faults)
