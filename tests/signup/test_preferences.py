"""Preferences: behind a link mailed minutes ago, and nothing else opens them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.catalogue.models import ReleaseCounter
from signup import cadence, consent, guard, preferences, tokens
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.suppress import suppress
from tests.signup.conftest import Catalogue

Asking = Callable[..., SystemMail | None]


@pytest.fixture
def page(reader: Subscriber) -> str:
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/"


def choices(**changes: Any) -> dict[str, Any]:
    return {
        "action": "save",
        "conditions": ["herniated-disk"],
        "cadence": "weekly",
        "weekday": "0",
        "hour": "8",
        "timezone": "UTC",
        "first_name": "",
        **changes,
    }


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Subscriber, Subscription, Follow, Suppression, SystemMail, ConsentEntry)
    ]


def asked_for(client: Client, email: str) -> Any:
    token = guard.form_token(guard.Place.PREFERENCES_PAGE, {})
    return client.post("/preferences/", {"email": email, "form_token": token}, follow=True)


# --- Asking for the link ----------------------------------------------------------------------


def test_a_reader_is_mailed_a_link(browser_client: Client, reader: Subscriber) -> None:
    response = asked_for(browser_client, "Ada@Example.org")
    assert "a link is on its way" in response.content.decode()
    mail = SystemMail.objects.latest("pk")
    assert (mail.kind, mail.subscriber) == ("preferences", reader)
    assert mail.expires_at - mail.created_at <= timedelta(minutes=30)


def test_the_answer_is_the_same_for_every_address(
    browser_client: Client, reader: Subscriber, ask: Asking
) -> None:
    ask("pending@example.org")
    suppress(
        address_key="complained@example.org", reason=Suppression.Reason.COMPLAINT, source="test"
    )
    answers = set()
    for name in ("ada", "nobody", "pending", "complained", "ada"):
        response = asked_for(browser_client, f"{name}@example.org")
        answers.add((response.status_code, response.content))
        assert not response.cookies
    assert len(answers) == 1
    assert SystemMail.objects.filter(kind="preferences").count() == 1


def test_a_suppressed_reader_is_not_mailed_a_link(
    browser_client: Client, reader: Subscriber
) -> None:
    suppress(subscriber=reader, reason=Suppression.Reason.HARD_BOUNCE, source="test")
    asked_for(browser_client, "ada@example.org")
    assert not SystemMail.objects.filter(kind="preferences").exists()


def test_links_are_not_mailed_without_end(reader: Subscriber) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        mails = []
        for _ in range(10):
            mails.append(preferences.request_link(address_key="ada@example.org"))
            clock.shift(timedelta(minutes=10))
        assert sum(mail is not None for mail in mails) == preferences.LINKS_A_DAY


def test_a_wrong_address_is_said_and_kept(browser_client: Client, reader: Subscriber) -> None:
    token = guard.form_token(guard.Place.PREFERENCES_PAGE, {})
    response = browser_client.post("/preferences/", {"email": "ada@", "form_token": token})
    assert response.status_code == 422
    text = response.content.decode()
    assert "<title>Error: " in text
    assert 'value="ada@"' in text


def test_a_form_that_is_not_ours_mails_nothing(browser_client: Client, reader: Subscriber) -> None:
    response = browser_client.post("/preferences/", {"email": "ada@example.org"})
    assert response.status_code == 422
    assert not SystemMail.objects.filter(kind="preferences").exists()


# --- The page ---------------------------------------------------------------------------------


def test_the_page_shows_what_the_reader_gets_and_said(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    before = everything()
    response = browser_client.get(page)
    text = response.content.decode()
    for words in ("Herniated disk", "Living Well", "My Conditions", "Take this back", "Asthma"):
        assert words in text
    assert response["Cache-Control"] == "no-store, private"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "<script" not in text
    assert not response.cookies
    assert everything() == before


def test_the_record_shows_the_exact_wording(browser_client: Client, page: str) -> None:
    record = browser_client.get(f"{page}record/").content.decode()
    assert current_texts("en")[ConsentText.Purpose.MAIL].wording in record
    assert "You agreed to" in record


def test_the_page_closes_after_thirty_minutes_and_offers_a_fresh_link(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        before = everything()
        for response in (browser_client.get(page), browser_client.post(page, choices())):
            assert response.status_code == 410
            assert "Herniated" not in response.content.decode()
        assert everything() == before
        assert browser_client.post(page, {"again": "1"})["Location"] == "/preferences/link-mailed/"
    assert SystemMail.objects.latest("pk").kind == "preferences"


@pytest.mark.parametrize("token", ["x", "A" * 58, "%00", "a" * 5000])
def test_a_damaged_link_shows_nothing(
    browser_client: Client, reader: Subscriber, token: str
) -> None:
    before = everything()
    for answer in (
        browser_client.get(f"/preferences/{token}/"),
        browser_client.post(f"/preferences/{token}/", choices()),
    ):
        assert answer.status_code == 404
        assert "Herniated" not in answer.content.decode()
    assert everything() == before


def test_everything_can_be_set(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    tomorrow = (timezone.now() + timedelta(days=40)).date()
    response = browser_client.post(
        page,
        choices(
            conditions=["herniated-disk", "asthma"],
            paused=["herniated-disk"],
            cadence="monthly",
            weekday="4",
            hour="19",
            timezone="Europe/Berlin",
            first_name="  Ada  ",
            text_only="on",
            pause_until=tomorrow.isoformat(),
        ),
        follow=True,
    )
    assert "Saved." in response.content.decode()
    reader.refresh_from_db()
    assert (reader.first_name, reader.timezone, reader.text_only) == ("Ada", "Europe/Berlin", True)
    digest = Subscription.objects.get(newsletter=catalogue.digest)
    assert (digest.cadence, digest.weekday, digest.hour) == ("monthly", 4, 19)
    assert digest.paused_until is not None
    assert digest.paused_until.astimezone(UTC) > datetime.now(UTC)
    follows = {row.condition.slug: row.paused_at for row in Follow.objects.all()}
    assert follows["asthma"] is None
    assert follows["herniated-disk"] is not None
    assert reader.measurement_consent is None


def test_a_pause_ends_at_midnight_where_the_reader_lives(browser_client: Client, page: str) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        fresh = page.replace(
            page.split("/")[2], tokens.make(tokens.Purpose.PREFERENCES, Subscriber.objects.get().pk)
        )
        browser_client.post(fresh, choices(timezone="America/New_York", pause_until="2027-03-15"))
    # New York has moved its clocks on the day before: midnight is 04:00 UTC, not 05:00.
    expected = datetime(2027, 3, 15, 4, tzinfo=UTC)
    assert {row.paused_until for row in Subscription.objects.all()} == {expected}


def test_resuming_owes_nothing_from_the_pause(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    browser_client.post(page, choices(paused=["herniated-disk"]))
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": 12})
    browser_client.post(page, choices())
    follow = Follow.objects.get()
    assert (follow.paused_at, follow.from_seq) == (None, 12)


def test_saving_without_a_change_keeps_what_is_owed(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": 12})
    browser_client.post(page, choices())
    assert Follow.objects.get().from_seq == 0


def test_a_condition_can_be_stopped(browser_client: Client, page: str) -> None:
    browser_client.post(page, choices(conditions=[]))
    assert not Follow.objects.exists()
    assert Subscription.objects.live().count() == 2


def test_whoever_plans_digests_hears_of_a_new_rhythm(
    browser_client: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(cadence, "_listeners", [heard.extend])
    browser_client.post(page, choices(cadence="daily"))
    assert sorted(heard) == sorted(Subscription.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": ["no-such"]},
        {"conditions": ["\x00"]},
        {"cadence": "hourly"},
        {"weekday": "9"},
        {"weekday": "\u0663x"},
        {"hour": "24"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"first_name": "https://spam.example"},
        {"first_name": "a" * 700},
        {"pause_until": "yesterday"},
        {"pause_until": "2001-01-01"},
        {"pause_until": "9999-12-31"},
        {"language": "xx"},
    ],
)
def test_bad_input_is_refused_and_nothing_changes(
    browser_client: Client, page: str, change: dict[str, Any]
) -> None:
    before = everything()
    response = browser_client.post(page, choices(**change))
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()
    assert everything() == before


@pytest.mark.parametrize(
    "action", ["", "end:", "end:x", "end:" + "9" * 400, "end:\u0663", "withdraw:mail", "x" * 9999]
)
def test_an_unknown_button_does_nothing(browser_client: Client, page: str, action: str) -> None:
    before = everything()
    assert browser_client.post(page, {"action": action}).status_code == 302
    assert everything() == before


# --- Consents ---------------------------------------------------------------------------------


def test_withdrawing_health_forgets_what_was_followed(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    browser_client.post(page, {"action": "withdraw:health"})
    reader.refresh_from_db()
    assert reader.health_consent is None
    assert not Follow.objects.exists()
    states = dict(Subscription.objects.values_list("newsletter__slug", "state"))
    assert states == {"living-well": "live", "my-conditions": "ended"}
    assert ConsentEntry.objects.filter(action="withdrawn", purpose="health").count() == 1
    assert consent.verify() == []
    before = everything()
    browser_client.post(page, {"action": "withdraw:health"})
    assert everything() == before


def test_a_condition_cannot_be_added_without_its_consent(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    Subscriber.objects.update(health_consent=None)
    Follow.objects.all().delete()
    before = everything()
    response = browser_client.post(page, choices(conditions=["asthma"]))
    assert response.status_code == 422
    assert "Tick the box" in response.content.decode()
    assert everything() == before
    browser_client.post(page, choices(conditions=["asthma"], consent_health="on"))
    reader.refresh_from_db()
    assert reader.health_consent is not None
    assert reader.health_consent.method == "preferences"
    assert [row.condition.slug for row in Follow.objects.all()] == ["asthma"]


def test_no_condition_is_added_where_no_digest_would_carry_it(
    browser_client: Client, page: str, reader: Subscriber, catalogue: Catalogue
) -> None:
    digest = Subscription.objects.get(newsletter=catalogue.digest)
    browser_client.post(page, {"action": f"end:{digest.pk}"})
    response = browser_client.post(page, choices(conditions=["herniated-disk", "asthma"]))
    assert response.status_code == 422
    assert [row.condition.slug for row in Follow.objects.all()] == ["herniated-disk"]
    digest.refresh_from_db()
    assert digest.state == Subscription.State.ENDED


def test_measurement_can_be_given_and_taken_back(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    browser_client.post(page, choices(consent_measurement="on"))
    reader.refresh_from_db()
    assert reader.measurement_consent is not None
    assert reader.measurement_consent.text is not None
    browser_client.post(page, {"action": "withdraw:measurement"})
    reader.refresh_from_db()
    assert reader.measurement_consent is None
    assert consent.verify() == []


# --- Ending -----------------------------------------------------------------------------------


def test_one_newsletter_can_be_ended_and_undone(
    browser_client: Client, page: str, catalogue: Catalogue
) -> None:
    subscription = Subscription.objects.get(newsletter=catalogue.living_well)
    response = browser_client.post(page, {"action": f"end:{subscription.pk}"}, follow=True)
    assert "Undo" in response.content.decode()
    subscription.refresh_from_db()
    assert (subscription.state, subscription.ended_reason) == ("ended", "preferences")
    assert Subscription.objects.live().count() == 1


def test_everything_can_be_ended(browser_client: Client, page: str) -> None:
    browser_client.post(page, {"action": "end_all"})
    assert not Subscription.objects.live().exists()
    assert ConsentEntry.objects.filter(action="withdrawn", method="preferences").count() == 2


def test_nobody_ends_another_readers_subscription(
    browser_client: Client, page: str, ask: Asking
) -> None:
    from signup.confirm import confirm

    ask("bob@example.org")
    confirm(sign_up=SignUp.objects.get(subscriber__email_key="bob@example.org"))
    bobs = Subscription.objects.filter(subscriber__email_key="bob@example.org").first()
    assert bobs is not None
    before = everything()
    browser_client.post(page, {"action": f"end:{bobs.pk}"})
    assert everything() == before


def test_a_readers_typing_is_escaped(browser_client: Client, page: str) -> None:
    response = browser_client.post(page, choices(first_name='<img src="x">'))
    assert response.status_code == 422
    assert not re.search(r'<img src="x">', response.content.decode())


def test_the_welcome_page_closes_too(browser_client: Client, page: str) -> None:
    welcome = page.replace("preferences", "welcome")
    assert browser_client.get(welcome).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert browser_client.get(welcome).status_code == 410
