"""A link that is old, used, cut short or opened on the wrong page still leads somewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signup import letter, tokens
from signup.confirm import confirm
from signup.models import Subscriber, Subscription, SystemMail
from signup.privacy.erase import erase
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump, link_in, sent

Asking = Callable[..., SystemMail | None]
Purpose = tokens.Purpose


@pytest.mark.parametrize("page", ["confirm", "preferences", "welcome", "new-address"])
def test_a_link_of_ours_on_the_wrong_page_mails_the_right_one_without_typing(
    browser_client: Client, reader: Subscriber, page: str
) -> None:
    subscription = Subscription.objects.live().first()
    assert subscription is not None
    path = f"/{page}/{tokens.unsubscribe_token(subscription.pk)}/"
    before = dump()
    shown = browser_client.get(path)
    assert shown.status_code == 404
    assert "belongs to another page" in shown.content.decode()
    assert browser_client.post(path).status_code == 404
    assert dump() == before
    answer = browser_client.post(path, {"again": "1"})
    assert answer["Location"] == "/preferences/link-mailed/"
    assert sent(SystemMail.objects.get(kind="preferences")).recipient == "ada@example.org"


def test_a_confirmation_opened_as_preferences_is_mailed_again_the_next_day(
    browser_client: Client, ask: Asking
) -> None:
    owed = ask()
    assert owed is not None
    token = letter.link(owed).rstrip("/").rpartition("/")[2]
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        browser_client.post(f"/preferences/{token}/", {"again": "1"})
        assert SystemMail.objects.filter(kind="confirm").count() == 2


def test_a_damaged_link_asks_for_the_address_on_the_page_itself(
    browser_client: Client, db: None
) -> None:
    for page in ("confirm", "preferences", "unsubscribe", "new-address"):
        response = browser_client.get(f"/{page}/cut-short/")
        assert response.status_code == 404
        text = response.content.decode()
        assert 'name="email"' in text
        assert 'action="/preferences/"' in text


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda token: token[:-6], id="cut short"),
        pytest.param(lambda token: token + ".", id="with the sentence's full stop"),
        pytest.param(lambda token: token + ">", id="with its bracket"),
        pytest.param(lambda token: token[:20] + "= " + token[20:-3], id="broken in two"),
    ],
)
@pytest.mark.parametrize("page", ["confirm", "preferences", "unsubscribe", "withdraw"])
def test_a_damaged_link_that_still_says_whose_it_is_mails_a_new_one_without_typing(
    browser_client: Client, reader: Subscriber, page: str, damage: Callable[[str], str]
) -> None:
    subscription = Subscription.objects.live().first()
    sign_up = reader.sign_ups.get()
    assert subscription is not None
    whole = {
        "confirm": tokens.make(Purpose.CONFIRM, sign_up.pk),
        "preferences": tokens.make(Purpose.PREFERENCES, reader.pk),
        "unsubscribe": tokens.unsubscribe_token(subscription.pk),
        "withdraw": tokens.withdraw_token(subscription.pk),
    }[page]
    path = reverse(f"signup:{page}", args=[damage(whole)])
    before = dump()
    shown = browser_client.get(path)
    text = shown.content.decode()
    assert shown.status_code == 404
    assert "not complete" in text
    assert 'name="again"' in text and 'name="email"' not in text
    assert browser_client.post(path).status_code == 404
    assert dump() == before
    answer = browser_client.post(path, {"again": "1"})
    assert answer["Location"] == "/preferences/link-mailed/"
    assert sent(SystemMail.objects.get(kind="preferences")).recipient == "ada@example.org"
    assert Subscription.objects.live().count() == 2


def test_a_link_that_somebody_tampered_with_says_nothing(
    browser_client: Client, reader: Subscriber
) -> None:
    whole = tokens.make(Purpose.PREFERENCES, reader.pk)
    for number, sign in enumerate(whole[:30]):
        other = whole[:number] + ("A" if sign != "A" else "B") + whole[number + 1 :]
        assert tokens.salvage(Purpose.PREFERENCES, other) is None, number
        assert tokens.salvage(Purpose.CONFIRM, whole) is None
    before = dump()
    assert browser_client.post(f"/preferences/{whole[:24]}/", {"again": "1"}).status_code == 404
    assert dump() == before


def test_a_used_link_mails_a_fresh_one_by_its_button(browser_client: Client, ask: Asking) -> None:
    owed = ask()
    link = link_in(sent(owed).content, "/confirm/")
    browser_client.post(link)
    assert "confirmed already" in browser_client.get(link).content.decode()
    answer = browser_client.post(link, {"again": "1"})
    assert answer["Location"] == "/preferences/link-mailed/"
    assert SystemMail.objects.latest("pk").kind == "preferences"


def test_a_link_older_than_the_leaving_offers_to_confirm_anew(
    browser_client: Client, ask: Asking, reader: Subscriber, catalogue: Catalogue
) -> None:
    from signup.models import ConsentEntry
    from signup.unsubscribe import end_all

    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False) as clock:
        link = link_in(sent(ask()).content, "/confirm/")
        clock.shift(timedelta(minutes=1))
        end_all(
            subscriber=reader,
            reason=Subscription.EndedReason.UNSUBSCRIBED,
            method=ConsentEntry.Method.LINK,
        )
        clock.shift(timedelta(minutes=1))
        response = browser_client.post(link)
        assert response.status_code == 410
        assert 'name="again"' in response.content.decode()
        assert not Subscription.objects.live().exists()
        clock.shift(timedelta(days=2))
        browser_client.post(link, {"again": "1"})
        fresh = link_in(sent(SystemMail.objects.latest("pk")).content, "/confirm/")
        browser_client.post(fresh)
    assert Subscription.objects.live().count() == 2


def test_a_link_of_an_erased_reader_tells_nobody_anything(
    browser_client: Client, reader: Subscriber
) -> None:
    from signup.models import ConsentEntry

    subscription = Subscription.objects.first()
    assert subscription is not None
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    before = dump()
    for page in ("confirm", "preferences"):
        path = f"/{page}/{tokens.unsubscribe_token(subscription.pk)}/"
        assert browser_client.post(path, {"again": "1"}).status_code == 404
    assert dump() == before


def test_somebody_whose_confirmation_was_lost_gets_it_by_asking_for_a_link(
    ask: Asking,
) -> None:
    from signup import preferences

    ask("bob@example.org")
    assert preferences.request_link(address_key="bob@example.org") is None
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        owed = preferences.request_link(address_key="bob@example.org")
        assert owed is not None
        assert owed.kind == SystemMail.Kind.CONFIRM


# --- What a confirmation mail may open --------------------------------------------------------


def test_an_old_mails_button_adds_but_shows_nothing_of_a_known_reader(
    browser_client: Client, reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    """It may have been forwarded since: adding needs the mailbox, showing a fresh link."""
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False) as clock:
        owed = ask(conditions=[catalogue.asthma])
        assert owed is not None and owed.kind == SystemMail.Kind.ADD
        link = link_in(sent(owed).content, "/confirm/")
        clock.shift(timedelta(minutes=31))
        response = browser_client.post(link)
    assert response.status_code == 200
    text = response.content.decode()
    assert "Your choice is added" in text
    for private in ("Herniated", "Asthma", "Living Well", "ada@"):
        assert private not in text
    assert reader.follows.filter(condition=catalogue.asthma).exists()


def test_a_fresh_mails_button_opens_the_page(
    browser_client: Client, reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        link = link_in(sent(ask(conditions=[catalogue.asthma])).content, "/confirm/")
        assert browser_client.post(link)["Location"].startswith("/welcome/")


def test_a_reader_who_is_new_sees_the_page_also_hours_later(
    browser_client: Client, ask: Asking
) -> None:
    link = link_in(sent(ask()).content, "/confirm/")
    with time_machine.travel(timezone.now() + timedelta(hours=20)):
        assert browser_client.post(link)["Location"].startswith("/welcome/")


# --- One question a day -----------------------------------------------------------------------


def test_an_address_is_asked_once_a_day_also_when_it_was_erased_meanwhile(
    reader: Subscriber, ask: Asking
) -> None:
    from signup.models import ConsentEntry

    erase(
        subscriber=reader, method=ConsentEntry.Method.PREFERENCES, source="test", never_again=False
    )
    assert ask() is None
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        owed = ask()
        assert owed is not None and owed.sign_up is not None
        confirm(sign_up=owed.sign_up)
    assert Subscriber.objects.filter(email_key="ada@example.org").exists()
