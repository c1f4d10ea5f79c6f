"""Another address: the new mailbox says yes, the old one is told, and no rule is got round."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.transports import memory
from signup import consent, guard, preferences, relocate, suppress, tokens
from signup.address import normalise
from signup.confirm import confirm
from signup.models import (
    AddressChange,
    ConsentEntry,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.suppress import is_suppressed
from tests.signup.conftest import Catalogue
from tests.signup.mailed import dump, link_in, sent, sent_issue

Asking = Callable[..., SystemMail | None]
NEW = "ada@new.example.org"


@pytest.fixture
def page(reader: Subscriber) -> str:
    return f"/preferences/{tokens.make(tokens.Purpose.PREFERENCES, reader.pk)}/address/"


def typed(email: str) -> dict[str, str]:
    with time_machine.travel(timezone.now() - timedelta(seconds=30)):
        return {"email": email, "form_token": guard.form_token(guard.Place.PREFERENCES_PAGE, {})}


def asked(reader: Subscriber, email: str = NEW) -> str:
    """Ask for it and return the link that came to the new mailbox."""
    envelope = sent(relocate.ask(subscriber=reader, address=normalise(email)))
    assert envelope.recipient == email
    return link_in(envelope.content, "/new-address/")


def test_the_page_asks_and_nothing_moves_yet(
    browser_client: Client, page: str, reader: Subscriber
) -> None:
    assert "ada@example.org" in browser_client.get(page).content.decode()
    response = browser_client.post(page, typed(NEW))
    assert response.status_code == 200
    assert "Look into the new mailbox" in response.content.decode()
    reader.refresh_from_db()
    assert reader.email == "ada@example.org"
    assert SystemMail.objects.get(kind="address").recipient == NEW


def test_the_answer_is_the_same_for_every_address(
    browser_client: Client, page: str, ask: Asking
) -> None:
    ask("pending@example.org")
    suppress.suppress(
        address_key="gone@example.org", reason=Suppression.Reason.COMPLAINT, source="test"
    )
    answers = {
        (response.status_code, response.content)
        for name in ("ada", "pending", "gone", "nobody")
        for response in [browser_client.post(page, typed(f"{name}@example.org"))]
    }
    assert len(answers) == 1


def test_looking_at_the_new_mailboxs_page_changes_nothing_and_names_little(
    browser_client: Client, reader: Subscriber
) -> None:
    link = asked(reader)
    before = dump()
    page = browser_client.get(link).content.decode()
    assert page.count("<button") == page.count("<form") == 1
    assert browser_client.head(link).status_code == 200
    assert "Herniated" not in page
    assert not re.search(r"\bada\b", page.lower())
    assert dump() == before


def test_the_new_mailbox_confirms_and_everything_goes_there(
    browser_client: Client, reader: Subscriber, catalogue: Catalogue
) -> None:
    link = asked(reader)
    live_before = set(Subscription.objects.live().values_list("pk", flat=True))
    response = browser_client.post(link)
    assert response.status_code == 200
    assert "We write to this address now" in response.content.decode()
    assert not response.cookies
    reader.refresh_from_db()
    assert (reader.email, reader.email_key) == (NEW, NEW)
    assert set(Subscription.objects.live().values_list("pk", flat=True)) == live_before
    memory.outbox.clear()
    assert sent_issue(catalogue.living_well).recipient == NEW
    assert len(memory.outbox) == 1


def test_every_consent_that_stands_is_confirmed_anew_in_the_ledger(
    browser_client: Client, reader: Subscriber
) -> None:
    before = ConsentEntry.objects.count()
    browser_client.post(asked(reader))
    fresh = ConsentEntry.objects.order_by("seq")[before:]
    assert [(row.action, row.purpose) for row in fresh] == [
        ("confirmed", "mail"),
        ("confirmed", "mail"),
        ("confirmed", "health"),
    ]
    assert {row.evidence for row in fresh} == {relocate.EVIDENCE}
    assert all(row.text for row in fresh)
    reader.refresh_from_db()
    assert reader.health_consent == fresh[2]
    assert {row.consent for row in Subscription.objects.live()} == {fresh[0], fresh[1]}
    assert consent.verify() == []


def test_the_old_mailbox_is_told_once_and_not_where_to(
    browser_client: Client, reader: Subscriber
) -> None:
    link = asked(reader)
    browser_client.post(link)
    notice = sent(SystemMail.objects.get(kind="moved"))
    assert notice.recipient == "ada@example.org"
    assert NEW not in notice.content.decode()
    before = dump()
    assert browser_client.post(link).status_code == 200
    assert dump() == before


def test_links_in_the_old_mailbox_show_nothing_more_but_still_end(
    browser_client: Client, reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    """Whoever reads the old mailbox must not see what is followed, nor add to it."""
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        old = tokens.make(tokens.Purpose.PREFERENCES, reader.pk)
        pending = ask(conditions=[catalogue.asthma])
    link = asked(reader)
    browser_client.post(link)
    for path in ("", "record/", "export/", "erase/", "address/"):
        for answer in (
            browser_client.get(f"/preferences/{old}/{path}"),
            browser_client.post(f"/preferences/{old}/{path}", {"action": "erase"}),
        ):
            assert answer.status_code == 410, path
            assert "Herniated" not in answer.content.decode()
    assert pending is None  # an address gets one confirmation a day
    end = Subscription.objects.live().first()
    assert end is not None
    assert browser_client.post(f"/unsubscribe/{tokens.unsubscribe_token(end.pk)}/").status_code
    assert Subscription.objects.live().count() == 1


def test_what_the_old_mailbox_was_asked_and_had_not_answered_is_void(
    browser_client: Client, reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        owed = ask(conditions=[catalogue.asthma])
        link = link_in(sent(owed).content, "/confirm/")
        browser_client.post(asked(reader))
        assert browser_client.post(link).status_code == 410
    assert not reader.follows.filter(condition=catalogue.asthma).exists()


def test_a_fresh_link_goes_to_the_new_address_only(
    browser_client: Client, reader: Subscriber
) -> None:
    browser_client.post(asked(reader))
    assert preferences.request_link(address_key="ada@example.org") is None
    assert sent(preferences.request_link(address_key=NEW)).recipient == NEW


def test_the_link_works_for_three_days_and_then_offers_another(
    browser_client: Client, reader: Subscriber
) -> None:
    link = asked(reader)
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert browser_client.get(link).status_code == 410
        assert browser_client.post(link).status_code == 410
        reader.refresh_from_db()
        assert reader.email == "ada@example.org"
        assert browser_client.post(link, {"again": "1"}).status_code == 302
        fresh = SystemMail.objects.filter(kind="address").latest("pk")
        browser_client.post(link_in(sent(fresh).content, "/new-address/"))
    reader.refresh_from_db()
    assert reader.email == NEW


def test_only_the_last_one_asked_for_counts(browser_client: Client, reader: Subscriber) -> None:
    first = asked(reader, "one@example.org")
    asked(reader, "two@example.org")
    assert browser_client.post(first).status_code == 410
    reader.refresh_from_db()
    assert reader.email == "ada@example.org"


def test_a_stranger_at_the_new_address_is_mailed_once_a_day_whatever_asks(
    reader: Subscriber, ask: Asking
) -> None:
    assert ask("victim@example.org") is not None
    assert relocate.ask(subscriber=reader, address=normalise("victim@example.org")) is None
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        owed = relocate.ask(subscriber=reader, address=normalise("Victim@example.org"))
        assert owed is not None
        assert ask("victim@example.org") is None


def test_nobody_asks_one_address_after_another(reader: Subscriber) -> None:
    owed = [
        relocate.ask(subscriber=reader, address=normalise(f"victim{number}@example.org"))
        for number in range(10)
    ]
    assert sum(mail is not None for mail in owed) == relocate.CHANGES_A_DAY


def test_a_suppressed_address_is_asked_once_in_thirty_days_and_its_yes_lifts_that(
    browser_client: Client, reader: Subscriber
) -> None:
    suppress.suppress(address_key=NEW, reason=Suppression.Reason.COMPLAINT, source="test")
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False) as clock:
        link = asked(reader)
        clock.shift(timedelta(days=2))
        assert relocate.ask(subscriber=reader, address=normalise(NEW)) is None
        clock.shift(timedelta(hours=-1))
        AddressChange.objects.exclude(pk=AddressChange.objects.earliest("pk").pk).delete()
        assert is_suppressed(NEW)
        assert browser_client.post(link).status_code == 200
    assert not is_suppressed(NEW)


def test_a_complaint_after_asking_stands(browser_client: Client, reader: Subscriber) -> None:
    link = asked(reader)
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        suppress.suppress(address_key=NEW, reason=Suppression.Reason.COMPLAINT, source="test")
        assert browser_client.post(link).status_code == 410
    reader.refresh_from_db()
    assert reader.email == "ada@example.org"
    assert is_suppressed(NEW)


def test_moving_revives_nothing_that_was_ended(browser_client: Client, reader: Subscriber) -> None:
    from signup.unsubscribe import end_all

    link = asked(reader)
    end_all(
        subscriber=reader,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    assert browser_client.post(link).status_code == 410
    assert not Subscription.objects.live().exists()


def test_an_address_with_a_reader_of_its_own_is_not_taken_over(
    browser_client: Client, reader: Subscriber, ask: Asking
) -> None:
    other = ask("bob@example.org")
    assert other is not None and other.sign_up is not None
    confirm(sign_up=other.sign_up)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        link = asked(reader, "bob@example.org")
        before = dump()
        response = browser_client.post(link)
        assert response.status_code == 409
        assert dump() == before


def test_an_address_that_was_typed_but_never_confirmed_is_free(
    browser_client: Client, reader: Subscriber, ask: Asking
) -> None:
    ask(NEW)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert browser_client.post(asked(reader)).status_code == 200
    assert Subscriber.objects.filter(email_key=NEW).get() == reader
    assert consent.verify() == []


def test_a_new_mailbox_that_does_not_exist_does_not_end_the_reader(
    reader: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.transports.memory import MemoryTransport
    from newsletter.transports.values import Outcome, Receipt
    from signup import mail

    owed = relocate.ask(subscriber=reader, address=normalise(NEW))
    assert owed is not None
    refusing: Any = MemoryTransport(lambda _: Receipt(Outcome.PERMANENT, 550, "5.1.1"))
    monkeypatch.setattr(mail, "system_transport", lambda: refusing)
    mail.send_system_mail(owed.pk)
    assert is_suppressed(NEW)
    assert not is_suppressed("ada@example.org")
    assert Subscription.objects.live().filter(subscriber=reader).count() == 2


@pytest.mark.parametrize("token", ["x", "A" * 58, "%00", "a" * 5000])
def test_a_damaged_link_moves_nothing(
    browser_client: Client, reader: Subscriber, token: str
) -> None:
    before = dump()
    for method in (browser_client.get, browser_client.post):
        assert method(f"/new-address/{token}/").status_code == 404
    assert dump() == before
