"""Unsubscribing: at once, for ever, by anybody's mail program, and undone only by the reader."""

import http.client
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from signup import consent, suppress, tokens, unsubscribe
from signup.models import (
    ConsentEntry,
    Follow,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.privacy.erase import erase
from tests.signup.conftest import Catalogue


@pytest.fixture
def subscription(reader: Subscriber, catalogue: Catalogue) -> Subscription:
    return Subscription.objects.get(subscriber=reader, newsletter=catalogue.living_well)


@pytest.fixture
def link(subscription: Subscription) -> str:
    return f"/unsubscribe/{tokens.unsubscribe_token(subscription.pk)}/"


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Subscriber, Subscription, Follow, Suppression, SystemMail, ConsentEntry)
    ]


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(browser_client: Client, link: str, method: str) -> None:
    before = everything()
    response = getattr(browser_client, method)(link)
    assert response.status_code in {200, 405}
    assert everything() == before
    assert not response.cookies


def test_the_page_has_one_button_and_shows_no_more_than_the_newsletter(
    browser_client: Client, link: str
) -> None:
    page = browser_client.get(link).content.decode()
    assert page.count("<button") == page.count("<form") == 1
    assert "<script" not in page
    assert "Living Well" in page
    for private in ("ada", "Herniated", "My Conditions", "Asthma"):
        assert not re.search(rf"\b{private}\b", page)


def test_a_sensitive_newsletter_is_not_named(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    catalogue.living_well.sensitive = True
    catalogue.living_well.save()
    assert "Living Well" not in browser_client.get(link).content.decode()


def test_the_button_ends_this_newsletter_and_no_other(
    browser_client: Client, link: str, subscription: Subscription
) -> None:
    response = browser_client.post(link, {"end": "1"})
    assert response.status_code == 302
    assert response["Location"].startswith("/goodbye/")
    subscription.refresh_from_db()
    assert (subscription.state, subscription.ended_reason) == ("ended", "unsubscribed")
    assert subscription.consent is None
    assert Subscription.objects.live().count() == 1
    entry = ConsentEntry.objects.latest("seq")
    assert (entry.action, entry.method) == ("withdrawn", "link")
    assert entry.newsletter == subscription.newsletter
    assert consent.verify() == []


@pytest.mark.parametrize(
    "how",
    [
        {
            "data": b"List-Unsubscribe=One-Click",
            "content_type": "application/x-www-form-urlencoded",
        },
        {
            "data": b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            b"One-Click\r\n--b--\r\n",
            "content_type": "multipart/form-data; boundary=b",
        },
        {"data": b"", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"--rubbish", "content_type": "multipart/form-data; boundary=b"},
        {"data": b"x" * 3_000_000, "content_type": "application/x-www-form-urlencoded"},
        {"data": b"\x00\xff", "content_type": "text/plain"},
    ],
)
def test_one_click_ends_at_once_without_cookie_token_or_redirect(
    browser_client: Client, link: str, subscription: Subscription, how: dict[str, Any]
) -> None:
    response = browser_client.post(link, **how, headers={"origin": "https://mail.example"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert response.content == b"You are unsubscribed.\n"
    assert not response.cookies
    subscription.refresh_from_db()
    assert (subscription.state, subscription.ended_reason) == ("ended", "one_click")
    assert ConsentEntry.objects.latest("seq").method == "one_click"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--b--\r\n",
        ),
    ],
    ids=["urlencoded", "multipart"],
)
def test_one_click_from_a_raw_client(
    live_server: Any, link: str, content_type: str, body: str
) -> None:
    """As a mail provider's server does it: no cookies, no Referer, nothing but the body."""
    where = urlsplit(live_server.url)
    client = http.client.HTTPConnection(where.hostname or "", where.port)
    for _ in range(2):
        client.request(
            "POST",
            link,
            body=body,
            headers={"Content-Type": content_type, "Host": "127.0.0.1"},
        )
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"You are unsubscribed.\n")
        assert response.getheader("Set-Cookie") is None
        assert response.getheader("Location") is None
    client.close()
    assert Subscription.objects.live().count() == 1
    assert ConsentEntry.objects.filter(action="withdrawn").count() == 1


def test_leaving_twice_is_harmless_and_the_first_reason_stands(
    browser_client: Client, link: str, subscription: Subscription
) -> None:
    browser_client.post(link, {"end": "1"})
    before = everything()
    browser_client.post(link)
    assert browser_client.post(link, {"end": "1"})["Location"] == "/goodbye/"
    assert everything() == before
    assert "stopped before" in browser_client.get(link).content.decode()


def test_the_link_of_an_erased_reader_is_answered_kindly(
    browser_client: Client, link: str, reader: Subscriber
) -> None:
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    before = everything()
    assert browser_client.get(link).status_code == 200
    assert browser_client.post(link).status_code == 200
    assert everything() == before


def test_the_link_of_a_row_that_is_gone_is_answered(browser_client: Client, db: None) -> None:
    link = f"/unsubscribe/{tokens.unsubscribe_token(2**63)}/"
    assert browser_client.get(link).status_code == 200
    assert browser_client.post(link).status_code == 200


def test_a_link_from_ten_years_and_two_keys_ago_works(
    browser_client: Client, subscription: Subscription, settings: Any
) -> None:
    link = f"/unsubscribe/{tokens.unsubscribe_token(subscription.pk)}/"
    settings.TOKEN_KEYS = ((3, b"c" * 32), (2, b"b" * 32), *settings.TOKEN_KEYS)
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        assert browser_client.post(link).status_code == 200
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", ["x", "A" * 36, "%00", "%F0%9F%98%80", "a" * 10_000])
def test_a_damaged_link_changes_nothing_and_offers_a_way(
    browser_client: Client, reader: Subscriber, method: str, token: str
) -> None:
    before = everything()
    response = getattr(browser_client, method)(f"/unsubscribe/{token}/")
    assert response.status_code == 404
    page = response.content.decode()
    assert "They never expire" in page
    assert 'href="/preferences/"' in page
    assert everything() == before


def test_the_unsubscribe_link_opens_no_other_door(
    browser_client: Client, subscription: Subscription
) -> None:
    """A forwarded mail may end; it may not show or add (lessons: one permanent UUID)."""
    token = tokens.unsubscribe_token(subscription.pk)
    for path in ("preferences", "welcome", "confirm", "undo"):
        for answer in (
            browser_client.get(f"/{path}/{token}/"),
            browser_client.post(f"/{path}/{token}/"),
        ):
            assert "Herniated" not in answer.content.decode()
            assert answer.status_code in {200, 404, 410}
    assert Subscription.objects.live().count() == 2


def test_no_token_stands_in_the_log(
    browser_client: Client, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        for path in (link, "/unsubscribe/damaged-token/", "/confirm/damaged-token/"):
            browser_client.get(path)
            browser_client.post(path)
    assert "damaged-token" not in caplog.text
    assert link not in caplog.text


# --- Undo ----------------------------------------------------------------------------------------


@pytest.fixture
def goodbye(browser_client: Client, link: str) -> str:
    return str(browser_client.post(link, {"end": "1"})["Location"])


def test_the_goodbye_page_offers_undo_and_looking_changes_nothing(
    browser_client: Client, goodbye: str
) -> None:
    before = everything()
    page = browser_client.get(goodbye).content.decode()
    assert "You are unsubscribed" in page
    undo = goodbye.replace("goodbye", "undo")
    assert f'action="{undo}"' in page
    assert browser_client.get(undo).status_code == 200
    assert everything() == before


def test_undo_brings_it_back_with_a_consent_of_its_own(
    browser_client: Client, goodbye: str, subscription: Subscription
) -> None:
    assert (
        "Welcome back" in browser_client.post(goodbye.replace("goodbye", "undo")).content.decode()
    )
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.LIVE
    assert subscription.consent is not None
    assert subscription.consent.method == "undo"
    assert subscription.consent.text is not None
    assert consent.verify() == []


def test_undo_works_once(
    browser_client: Client, goodbye: str, link: str, subscription: Subscription
) -> None:
    undo = goodbye.replace("goodbye", "undo")
    browser_client.post(undo)
    browser_client.post(link, {"end": "1"})
    before = everything()
    assert browser_client.post(undo).status_code == 410
    assert everything() == before


def test_undo_ends_after_thirty_minutes(browser_client: Client, goodbye: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        before = everything()
        assert browser_client.post(goodbye.replace("goodbye", "undo")).status_code == 410
        assert "Undo" not in browser_client.get(goodbye).content.decode()
        assert everything() == before


def test_undo_does_not_pass_a_suppression(
    browser_client: Client, goodbye: str, reader: Subscriber, subscription: Subscription
) -> None:
    suppress.suppress(subscriber=reader, reason=Suppression.Reason.COMPLAINT, source="test")
    assert browser_client.post(goodbye.replace("goodbye", "undo")).status_code == 410
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED


def test_one_click_makes_no_undo_that_others_could_find(
    browser_client: Client, link: str, subscription: Subscription
) -> None:
    response = browser_client.post(link)
    subscription.refresh_from_db()
    assert b"undo" not in response.content.lower()
    forged = tokens.make(tokens.Purpose.UNDO, subscription.pk, 1)
    with pytest.raises(unsubscribe.CannotUndo):
        unsubscribe.undo(token=forged)
    assert not Subscription.objects.live().filter(pk=subscription.pk).exists()


def test_the_token_of_undo_is_kept_as_a_hash_only(goodbye: str, subscription: Subscription) -> None:
    subscription.refresh_from_db()
    assert len(bytes(subscription.undo_hash or b"")) == 32
    assert goodbye.split("/")[2] not in str(Subscription.objects.values())
