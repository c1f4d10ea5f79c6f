"""The button behind the mail: looking changes nothing, pressing does, once."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from newsletter.catalogue.models import ReleaseCounter
from signup import cadence, consent, letter, tokens
from signup.confirm import confirm
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    SystemMail,
)
from signup.privacy.erase import erase
from tests.signup.conftest import Catalogue
from tests.signup.filling_in import CHECK_INBOX

Asking = Callable[..., SystemMail | None]


@pytest.fixture
def link(ask: Asking) -> str:
    mail = ask()
    assert mail is not None
    return letter.link(mail).removeprefix("http://127.0.0.1:8000")


def everything() -> list[Any]:
    """What looking must not change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Subscriber, Subscription, Follow, SignUp, SystemMail, ConsentEntry)
    ]


def test_looking_shows_one_button_and_changes_nothing(browser_client: Client, link: str) -> None:
    before = everything()
    response = browser_client.get(link)
    page = response.content.decode()
    assert page.count("<button") == page.count("<form") == 1
    assert "<script" not in page
    assert browser_client.head(link).status_code == 200
    assert everything() == before
    assert not response.cookies


def test_the_page_shows_neither_address_nor_condition(browser_client: Client, link: str) -> None:
    page = browser_client.get(link).content.decode()
    assert not re.search(r"\bada\b", page.lower())
    assert "Herniated" not in page
    assert "Living Well" in page


def test_pages_behind_a_token_are_not_stored_and_not_named(
    browser_client: Client, link: str
) -> None:
    response = browser_client.get(link)
    assert response["Cache-Control"] == "no-store, private"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]


def test_pressing_makes_everything_live(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": 41})
    response = browser_client.post(link)
    assert response.status_code == 302
    assert response["Location"].startswith("/welcome/")
    subscriber = Subscriber.objects.get()
    assert {row.state for row in subscriber.subscriptions.all()} == {"live"}
    for row in subscriber.subscriptions.select_related("consent", "newsletter"):
        assert row.consent is not None
        assert (row.consent.action, row.consent.newsletter) == ("confirmed", row.newsletter)
    assert [(row.condition, row.from_seq) for row in Follow.objects.all()] == [(catalogue.disk, 41)]
    assert subscriber.health_consent is not None
    assert subscriber.measurement_consent is None
    assert consent.verify() == []


def test_the_welcome_page_offers_the_rest(
    browser_client: Client, link: str, catalogue: Catalogue
) -> None:
    response = browser_client.post(link, follow=True)
    page = response.content.decode()
    assert "Welcome" in page
    for name in ("first_name", "cadence", "timezone", "conditions", "consent_measurement"):
        assert f'name="{name}"' in page
    assert "Asthma" in page
    assert "ada@example.org" not in page
    assert not response.cookies


def test_pressing_twice_changes_nothing_more(browser_client: Client, link: str) -> None:
    first = browser_client.post(link)
    before = everything()
    second = browser_client.post(link)
    assert first["Location"] == second["Location"]
    assert everything() == before


def test_pressing_an_old_mails_button_again_opens_nothing(
    browser_client: Client, link: str
) -> None:
    browser_client.post(link)
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        response = browser_client.post(link, follow=True)
        assert response.status_code == 410
        assert "This link has expired" in response.content.decode()
        assert "already" in browser_client.get(link).content.decode()


def test_pressing_again_after_leaving_revives_nothing(browser_client: Client, link: str) -> None:
    browser_client.post(link)
    for subscription in Subscription.objects.all():
        token = tokens.unsubscribe_token(subscription.pk)
        browser_client.post(f"/unsubscribe/{token}/", {"end": "1"})
    browser_client.post(link)
    assert not Subscription.objects.live().exists()


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_confirm_once(catalogue: Catalogue, ask: Asking) -> None:
    mail = ask()
    assert mail is not None and mail.sign_up is not None
    sign_up = mail.sign_up
    start = threading.Barrier(4)
    outcomes: list[Any] = []

    def press() -> None:
        try:
            start.wait()
            outcomes.append(confirm(sign_up=sign_up).now)
        except Exception as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [False, False, False, True]
    assert ConsentEntry.objects.filter(action="confirmed").count() == 3
    assert Follow.objects.count() == 1
    assert consent.verify() == []


@pytest.mark.django_db(transaction=True)
def test_two_forms_at_once_make_one_mail(catalogue: Catalogue, ask: Asking) -> None:
    start = threading.Barrier(4)
    outcomes: list[Any] = []

    def send() -> None:
        try:
            start.wait()
            outcomes.append(ask())
        except Exception as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert SystemMail.objects.count() == 1
    assert Subscriber.objects.count() == 1
    assert consent.verify() == []


def test_an_expired_link_mails_a_new_one_without_retyping(
    browser_client: Client, link: str
) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        before = everything()
        response = browser_client.get(link)
        assert response.status_code == 410
        assert "Send me a new one" in response.content.decode()
        assert browser_client.post(link).status_code == 410  # confirming is over
        assert everything() == before
        again = browser_client.post(link, {"again": "1"})
        assert again["Location"] == CHECK_INBOX
        mail = SystemMail.objects.latest("pk")
        assert mail.sign_up == SignUp.objects.get()
        fresh = letter.link(mail).removeprefix("http://127.0.0.1:8000")
        assert browser_client.post(fresh).status_code == 302
    assert Subscription.objects.live().count() == 2


def test_pressing_for_a_new_link_many_times_mails_one(browser_client: Client, link: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        for _ in range(5):
            assert browser_client.post(link, {"again": "1"})["Location"] == CHECK_INBOX
    assert SystemMail.objects.count() == 2


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize(
    "token", ["x", "A" * 58, "%00", "%F0%9F%98%80", "%ED%A0%80", "a" * 10_000, "<script>"]
)
def test_a_damaged_link_gets_a_kind_page_and_a_way_on(
    browser_client: Client, link: str, method: str, token: str
) -> None:
    before = everything()
    response = getattr(browser_client, method)(f"/confirm/{token}/")
    assert response.status_code == 404
    if method != "head":
        page = response.content.decode()
        assert "This link is not complete" in page
        assert 'href="/preferences/"' in page
        assert "<script>" not in page
    assert everything() == before


def test_the_link_of_an_erased_reader_is_gone(browser_client: Client, link: str) -> None:
    erase(subscriber=Subscriber.objects.get(), method=ConsentEntry.Method.STAFF, source="test")
    for answer in (browser_client.get(link), browser_client.post(link)):
        assert answer.status_code == 410
    assert not Subscription.objects.live().exists()


def test_confirming_more_adds_and_keeps_the_cadence(
    reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": 7})
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail = ask(conditions=[catalogue.asthma], cadence=Subscription.Cadence.DAILY)
        assert mail is not None and mail.sign_up is not None
        confirm(sign_up=mail.sign_up)
    digest = Subscription.objects.get(newsletter=catalogue.digest)
    assert digest.cadence == Subscription.Cadence.WEEKLY
    assert dict(Follow.objects.values_list("condition__slug", "from_seq")) == {
        "herniated-disk": 0,
        "asthma": 7,
    }


def test_following_again_owes_nothing_from_the_pause(
    reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    Follow.objects.update(paused_at=timezone.now())
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": 9})
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail = ask()
        assert mail is not None and mail.sign_up is not None
        confirm(sign_up=mail.sign_up)
    follow = Follow.objects.get()
    assert (follow.paused_at, follow.from_seq) == (None, 9)


def test_a_strangers_name_does_not_replace_the_readers(reader: Subscriber, ask: Asking) -> None:
    Subscriber.objects.update(first_name="Ada")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail = ask(first_name="Mallory")
        assert mail is not None and mail.sign_up is not None
        confirm(sign_up=mail.sign_up)
    assert Subscriber.objects.get().first_name == "Ada"


def test_measurement_stands_only_when_it_was_ticked(ask: Asking) -> None:
    mail = ask(consent_texts=list(current_texts("en").values()))
    assert mail is not None and mail.sign_up is not None
    confirm(sign_up=mail.sign_up)
    subscriber = Subscriber.objects.get()
    assert subscriber.measurement_consent is not None
    assert subscriber.measurement_consent.purpose == ConsentText.Purpose.MEASUREMENT


def test_whoever_plans_digests_hears_of_new_readers(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(cadence, "_listeners", [heard.extend])
    mail = ask()
    assert mail is not None and mail.sign_up is not None
    confirm(sign_up=mail.sign_up)
    assert sorted(heard) == sorted(Subscription.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("start", list(Subscription.State))
@pytest.mark.parametrize("goal", list(Subscription.State))
def test_states_follow_the_table(start: str, goal: str) -> None:
    allowed = {("pending", "live"), ("pending", "ended"), ("live", "ended"), ("ended", "live")}
    assert Subscription(state=start).may_become(goal) == ((start, goal) in allowed)
