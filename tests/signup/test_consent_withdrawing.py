"""Withdrawing one consent from any mail: one POST, an entry, and nothing shown."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from project.logs import mask
from signup import consent, tokens
from signup.models import ConsentEntry, Follow, Subscriber, Subscription, SystemMail
from signup.privacy.erase import erase

Asking = Callable[..., SystemMail | None]


@pytest.fixture
def link(reader: Subscriber) -> str:
    """The link in Ada's newsletter, not in her digest."""
    subscription = Subscription.objects.get(subscriber=reader, newsletter__slug="living-well")
    return f"/withdraw/{tokens.withdraw_token(subscription.pk)}/"


def test_one_post_withdraws_the_consent_for_health_and_writes_an_entry(
    reader: Subscriber, link: str, browser_client: Client
) -> None:
    answer = browser_client.post(link, {"consent": "health"})
    assert (answer.status_code, answer["Location"]) == (302, "/withdrawn/")
    entry = ConsentEntry.objects.get(action="withdrawn", purpose="health")
    assert entry.method == "link"
    reader.refresh_from_db()
    assert reader.health_consent is None
    assert not Follow.objects.filter(subscriber=reader).exists()
    live = Subscription.objects.live().values_list("newsletter__slug", flat=True)
    assert list(live) == ["living-well"], "the digest rested on it, the newsletter did not"
    assert consent.verify() == []


def test_measurement_goes_alone(ask: Asking, reader: Subscriber, browser_client: Client) -> None:
    from signup.preferences import give

    give(subscriber=reader, text=consent.current_texts("en")["measurement"])  # type: ignore[index]
    subscription = Subscription.objects.live().first()
    assert subscription is not None
    link = f"/withdraw/{tokens.withdraw_token(subscription.pk)}/"
    for _ in range(2):
        assert browser_client.post(link, {"consent": "measurement"}).status_code == 302
    reader.refresh_from_db()
    assert reader.measurement_consent is None and reader.health_consent is not None
    assert ConsentEntry.objects.filter(action="withdrawn").count() == 1
    assert consent.verify() == []


def test_get_and_head_change_nothing_and_tell_nothing(
    reader: Subscriber, link: str, browser_client: Client
) -> None:
    before = ConsentEntry.objects.count()
    page = browser_client.get(link)
    assert page.status_code == browser_client.head(link).status_code == 200
    assert ConsentEntry.objects.count() == before
    shown = page.content.decode()
    assert not re.search(r"\b(ada|disk)\b", shown.lower())
    assert "Living Well" not in shown
    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store, private"
    assert not page.cookies


def test_the_page_is_the_same_whatever_stands(
    reader: Subscriber, link: str, browser_client: Client
) -> None:
    before = browser_client.get(link).content
    browser_client.post(link, {"consent": "health"})
    assert browser_client.get(link).content == before


def test_it_works_for_ever_for_erased_readers_too(
    reader: Subscriber, link: str, browser_client: Client
) -> None:
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    before = ConsentEntry.objects.count()
    assert browser_client.post(link, {"consent": "health"})["Location"] == "/withdrawn/"
    assert ConsentEntry.objects.count() == before


@pytest.mark.parametrize("sent", [{}, {"consent": "mail"}, {"consent": "x"}])
def test_a_post_that_names_no_such_consent_changes_nothing(
    reader: Subscriber, link: str, browser_client: Client, sent: dict[str, str]
) -> None:
    before = ConsentEntry.objects.count()
    assert browser_client.post(link, sent).status_code == 422
    assert ConsentEntry.objects.count() == before


def test_a_link_to_unsubscribe_withdraws_nothing_else(
    reader: Subscriber, browser_client: Client
) -> None:
    """Invariant 17: a token is bound to its purpose."""
    subscription = Subscription.objects.live().first()
    assert subscription is not None
    token = tokens.unsubscribe_token(subscription.pk)
    assert token != tokens.withdraw_token(subscription.pk)
    before = ConsentEntry.objects.count()
    answer = browser_client.post(f"/withdraw/{token}/", {"consent": "health"})
    assert answer.status_code == 404
    assert ConsentEntry.objects.count() == before


def test_the_token_never_stands_in_a_log(link: str) -> None:
    assert mask(f"POST {link}") == "POST /withdraw/…/"
