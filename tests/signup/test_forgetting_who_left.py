"""Who has left everything is forgotten in time; what stays names nobody and keeps us away."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from signup import consent, tokens, unsubscribe
from signup.confirm import confirm
from signup.consent import importing
from signup.models import ConsentEntry, Follow, Subscriber, Subscription, Suppression, SystemMail
from signup.privacy import retention
from signup.suppress import is_suppressed, suppress
from tests.signup.conftest import Catalogue

pytestmark = pytest.mark.once

Asking = Callable[..., SystemMail | None]
YEAR_AND_A_DAY = timedelta(days=366)


def press(owed: SystemMail | None) -> None:
    """Press the button behind a confirmation."""
    assert owed is not None
    assert owed.sign_up is not None
    confirm(sign_up=owed.sign_up)


def leave(subscriber: Subscriber) -> None:
    unsubscribe.end_all(
        subscriber=subscriber,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )


def test_who_left_everything_is_kept_for_a_while_so_that_the_leaving_can_be_shown(
    reader: Subscriber,
) -> None:
    leave(reader)
    with time_machine.travel(timezone.now() + timedelta(days=364)):
        retention.purge()
    reader.refresh_from_db()
    assert reader.email == "ada@example.org"
    assert ConsentEntry.objects.filter(action="withdrawn").count() == 2


def test_then_nothing_names_the_reader_and_the_ledger_says_why(reader: Subscriber) -> None:
    leave(reader)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
        reader.refresh_from_db()
        assert reader.is_erased
        assert (reader.email, reader.first_name) == (None, "")
        assert not Follow.objects.exists()
        last = ConsentEntry.objects.latest("seq")
        assert (last.action, last.method) == ("erased", "term")
        assert consent.verify() == []
        lines = ConsentEntry.objects.count()
        retention.purge()
        assert ConsentEntry.objects.count() == lines, "harmless twice"


def test_a_hash_stays_so_that_no_import_brings_them_back(
    reader: Subscriber, catalogue: Catalogue
) -> None:
    leave(reader)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
        assert is_suppressed("ada@example.org")
        importing.run(
            text="address,basis,date,evidence,where\n"
            f"ada@example.org,imported,{timezone.localdate()},form 12,the open day\n",
            newsletter=catalogue.living_well,
            by="account 1",
            dry=False,
        )
    assert not Subscriber.objects.filter(email_key="ada@example.org").exists()


def test_they_themselves_may_come_back_by_confirming(reader: Subscriber, ask: Asking) -> None:
    leave(reader)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
        press(ask("ada@example.org"))
        assert not is_suppressed("ada@example.org")
        assert Subscription.objects.live().filter(subscriber__email="ada@example.org").exists()


def test_why_nobody_may_mail_them_is_not_painted_over(reader: Subscriber) -> None:
    suppress(subscriber=reader, reason=Suppression.Reason.COMPLAINT, source="a provider")
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
    reader.refresh_from_db()
    assert reader.is_erased
    assert Suppression.objects.get().reason == "complaint"


def test_who_still_gets_one_newsletter_stays(reader: Subscriber) -> None:
    one = Subscription.objects.filter(subscriber=reader).order_by("pk")[0]
    unsubscribe.end(
        subscription=one,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
    reader.refresh_from_db()
    assert not reader.is_erased


def test_who_asked_again_lately_stays_until_that_is_decided(
    reader: Subscriber, ask: Asking
) -> None:
    leave(reader)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        ask("ada@example.org")
        retention.purge()
    reader.refresh_from_db()
    assert not reader.is_erased


def test_the_links_of_old_mails_are_answered_kindly_afterwards(
    reader: Subscriber, browser_client: Client
) -> None:
    row = Subscription.objects.filter(subscriber=reader).order_by("pk")[0]
    leave(reader)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
        link = f"/unsubscribe/{tokens.unsubscribe_token(row.pk)}/"
        assert browser_client.get(link).status_code == 200
        assert browser_client.post(link).status_code == 200


def test_an_operator_may_keep_them_for_ever(reader: Subscriber, settings: Settings) -> None:
    settings.LEFT_READERS_KEEP_DAYS = 0
    leave(reader)
    with time_machine.travel(timezone.now() + timedelta(days=4_000)):
        retention.purge()
    reader.refresh_from_db()
    assert not reader.is_erased


def test_one_night_takes_no_more_than_it_can(
    reader: Subscriber,
    ask: Asking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    press(ask("bob@example.org"))
    for one in Subscriber.objects.all():
        leave(one)
    monkeypatch.setattr(retention, "FORGOTTEN_A_NIGHT", 1)
    with time_machine.travel(timezone.now() + YEAR_AND_A_DAY):
        retention.purge()
        assert Subscriber.objects.filter(erased_at=None).count() == 1
        retention.purge()
        assert not Subscriber.objects.filter(erased_at=None).exists()


def test_the_notice_tells_how_long(
    client: Client, catalogue: Catalogue, settings: Settings
) -> None:
    assert "After 365 days" in client.get("/privacy/").content.decode()
    settings.LEFT_READERS_KEEP_DAYS = 0
    page = client.get("/privacy/").content.decode()
    assert "If you stop all e-mails" not in page
