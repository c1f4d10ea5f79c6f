"""Feeds at the desk: who looks after them, what their pages say, and who is told when one dies."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from newsletter.catalogue.models import Condition
from newsletter.desk.feeds import notices
from newsletter.desk.models.limits import limit
from newsletter.editions.models import Article, Feed, FeedItem
from tests.desk import world
from tests.desk.conftest import client_of
from tests.editions.feeds import world as feeds
from tests.editions.feeds.world import item, rss
from tests.web import site as sites

LIST = "/admin/feeds/"


@pytest.fixture
def enqueued(monkeypatch):
    ids = []
    monkeypatch.setattr("newsletter.desk.feeds.views.hand_over", lambda task, pk: ids.append(pk))
    return ids


@pytest.fixture
def back(desk) -> Condition:
    return world.condition("Back pain")


@pytest.fixture
def feed(back) -> Feed:
    return feeds.feed(conditions=[back])


def page_of(feed: Feed) -> str:
    return reverse("desk:feed", args=(feed.pk,))


def fetched(feed: Feed, *items: str) -> None:
    from newsletter.editions.feeds import fetch

    with sites.site() as server:
        server.pages["/feed"] = sites.answer(rss(*items))
        fetch.ask_for(feed)
        fetch.fetch(feed.pk, way=sites.way_to(server))
    feed.refresh_from_db()


def form(back: Condition, **changes: object) -> dict[str, object]:
    return {
        "name": "Clinic news",
        "url": "https://clinic.example/feed",
        "enabled": "on",
        "every_hours": 24,
        "take": "summary",
        "kind": "research",
        "language": "en",
        "author_name": "Example Clinic",
        "author_credentials": "Press office",
        "conditions": [back.pk],
        "only_matching": "on",
        "rules-TOTAL_FORMS": 1,
        "rules-INITIAL_FORMS": 0,
        "rules-MIN_NUM_FORMS": 0,
        "rules-MAX_NUM_FORMS": 1000,
        "rules-0-words": "spine, disk*",
        "rules-0-where": "anywhere",
        "rules-0-condition": back.pk,
        "rules-0-ORDER": 1,
        **changes,
    }


@pytest.mark.parametrize("who", ["author", "admin"])
def test_authors_add_a_feed_and_it_is_fetched_at_once(desk, back, who, enqueued):
    client = client_of(getattr(desk, who))
    assert client.get(f"{LIST}add/").status_code == 200
    response = client.post(f"{LIST}add/", form(back))
    feed = Feed.objects.get()
    assert response.status_code == 302
    assert [rule.word_list for rule in feed.rules.all()] == [["spine", "disk*"]]
    assert enqueued == [feed.pk]
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"url": "file:///etc/passwd"}, {"url": "ftp://a.example/"}, {"rules-0-words": "*"}]
)
def test_a_form_that_could_bring_nothing_is_refused(desk, back, enqueued, changes):
    response = client_of(desk.author).post(f"{LIST}add/", form(back, **changes))
    assert response.status_code == 200
    assert not Feed.objects.exists()
    assert enqueued == []


@pytest.mark.parametrize("who", ["reviewer", "sender", "protection"])
def test_others_neither_see_nor_fetch(desk, feed, who, enqueued):
    client = client_of(getattr(desk, who))
    for response in (
        client.get(LIST),
        client.get(page_of(feed)),
        client.post(reverse("desk:fetch_feed", args=(feed.pk,))),
    ):
        assert response.status_code in (302, 403)
    assert enqueued == []
    assert feed.name not in client.get("/admin/").content.decode()


def test_whoever_is_limited_to_some_conditions_sees_their_drafts_and_no_feed(desk, feed, back):
    limit(
        desk.author,
        newsletters=desk.newsletter.__class__.objects.none(),
        conditions=Condition.objects.filter(pk=back.pk),
    )
    client = client_of(desk.author)
    assert client.get(page_of(feed)).status_code == 302
    assert feed.url not in client.get(LIST, follow=True).content.decode()
    assert LIST not in client.get("/admin/").content.decode()


def test_only_administrators_take_a_feed_away_and_its_drafts_stay(desk, feed):
    fetched(feed, item(1))
    address = f"{LIST}delete/{feed.pk}/"
    client_of(desk.author).post(address)
    assert Feed.objects.exists()
    client_of(desk.admin).post(address)
    assert not Feed.objects.exists()
    assert Article.objects.count() == 1


def test_the_page_says_what_came_and_leads_to_the_drafts(desk, feed):
    fetched(feed, item(1), item(2))
    page = client_of(desk.author).get(page_of(feed)).content.decode()
    for article in Article.objects.all():
        assert reverse("desk:article", args=(article.pk,)) in page
    assert "Works" in page
    # Addresses that others wrote are links of the web, whatever the feed says.
    assert 'href="https://clinic.example/1"' in page


def test_trouble_is_told_in_words(desk, feed):
    Feed.objects.update(
        tried_at=timezone.now(),
        failures=2,
        failing_since=timezone.now(),
        trouble=Feed.Trouble.NOT_A_FEED,
        detail="That is a web page, not a feed.",
    )
    for address in (LIST, page_of(feed), f"{LIST}edit/{feed.pk}/"):
        page = client_of(desk.author).get(address).content.decode()
        assert "In trouble" in page
        assert "That is a web page, not a feed." in page


def test_fetch_now_asks_for_it_and_a_get_does_not(desk, feed, enqueued):
    Feed.objects.update(next_fetch_at=timezone.now() + timedelta(days=3))
    client = client_of(desk.author)
    address = reverse("desk:fetch_feed", args=(feed.pk,))
    assert client.get(address).status_code == 405
    client.post(address)
    feed.refresh_from_db()
    assert feed.next_fetch_at <= timezone.now()
    assert enqueued == [feed.pk]
    Feed.objects.update(enabled=False)
    client.post(address)
    assert enqueued == [feed.pk]


def test_what_fits_nothing_can_be_drafted_or_set_aside_by_hand(desk, back):
    feed = feeds.feed()
    fetched(feed, item(1), item(2))
    one, two = feed.items.order_by("pk")
    client = client_of(desk.author)
    client.post(reverse("desk:feed_item", args=(one.pk,)), {"deed": "draft"})
    client.post(reverse("desk:feed_item", args=(two.pk,)), {"deed": "set_aside"})
    # Twice makes no second draft.
    client.post(reverse("desk:feed_item", args=(one.pk,)), {"deed": "draft"})
    assert Article.objects.get().title == one.title
    assert sorted(feed.items.values_list("state", flat=True)) == ["drafted", "set_aside"]


def test_a_change_at_the_source_stands_there_until_somebody_has_seen_it(desk, feed):
    fetched(feed, item(1))
    fetched(feed, item(1, text="Ten minutes was wrong."))
    client = client_of(desk.author)
    assert "Its source changed it" in client.get(page_of(feed)).content.decode()
    client.post(reverse("desk:feed_item", args=(feed.items.get().pk,)), {"deed": "seen"})
    assert "Its source changed it" not in client.get(page_of(feed)).content.decode()


def test_a_draft_from_a_feed_goes_the_way_of_any_other(desk, feed):
    fetched(feed, item(1))
    article = Article.objects.get()
    for client in (client_of(desk.author), client_of(desk.reviewer)):
        assert client.get(reverse("desk:article", args=(article.pk,))).status_code == 200
    page = client_of(desk.author).get(f"/admin/articles/edit/{article.pk}/")
    assert page.status_code == 200
    assert client_of(desk.author).get(f"/articles/{article.slug}/").status_code == 404


# --- A feed that dies ----------------------------------------------------------------------------


@pytest.fixture
def dead(feed) -> SimpleNamespace:
    Feed.objects.update(
        tried_at=timezone.now(),
        failures=9,
        failing_since=timezone.now() - timedelta(days=3),
        trouble=Feed.Trouble.REFUSED,
        detail="Its server answered with error 404.",
    )
    feed.refresh_from_db()
    return feed


@pytest.fixture
def outbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def test_those_who_look_after_feeds_are_told_once(desk, dead, outbox):
    assert notices.tell_of_dead_feeds(timezone.now()) == 1
    assert notices.tell_of_dead_feeds(timezone.now()) == 0
    assert sorted(message.to for message in outbox) == [[desk.admin.email], [desk.author.email]]
    text = outbox[0].body
    assert "error 404" in text and dead.url in text and page_of(dead) in text


def test_a_feed_that_lived_again_and_died_is_told_of_again(desk, dead, outbox):
    notices.tell_of_dead_feeds(timezone.now())
    fetched(dead, item(1))
    assert dead.told_at is None
    Feed.objects.update(failures=9, failing_since=timezone.now() - timedelta(days=3))
    assert notices.tell_of_dead_feeds(timezone.now()) == 1


def test_a_relay_that_is_down_is_tried_again(desk, dead, outbox, monkeypatch):
    def down(self):
        raise OSError("no route")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    assert notices.tell_of_dead_feeds(timezone.now()) == 0
    monkeypatch.undo()
    dead.refresh_from_db()
    assert dead.told_at is None


def test_the_dashboard_shows_it_as_long_as_it_is_dead(desk, dead):
    client = client_of(desk.author)
    assert page_of(dead) in client.get("/admin/").content.decode()
    assert page_of(dead) not in client_of(desk.sender).get("/admin/").content.decode()
    Feed.objects.update(failures=0, failing_since=None, trouble="")
    assert page_of(dead) not in client.get("/admin/").content.decode()


def test_the_tick_hands_over_what_is_due_and_nothing_else(desk, feed, monkeypatch):
    from newsletter import tasks

    later = feeds.feed(
        url="http://example.org/2", next_fetch_at=timezone.now() + timedelta(hours=1)
    )
    ids = []
    monkeypatch.setattr(tasks.fetch_feed, "delay", ids.append)
    tasks.fetch_feeds()
    assert ids == [feed.pk]
    assert later.pk not in ids
    assert not FeedItem.objects.exists()
