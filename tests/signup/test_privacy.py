"""What is kept about a reader: known in full, given out, erased, and not kept for ever."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import EmailField, Model
from django.test import Client
from django.utils import timezone

from newsletter.catalogue.models import Publisher
from signup import consent, suppress
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.privacy import registry, retention
from signup.privacy.erase import erase
from signup.privacy.export import export, record
from tests.signup.conftest import Catalogue

Asking = Callable[..., SystemMail | None]


def models_that_reach_a_reader() -> set[str]:
    """Every model from which a chain of foreign keys leads to a Subscriber."""
    reach: set[type[Model]] = {Subscriber}
    while True:
        more = {
            model
            for model in apps.get_models()
            if model not in reach
            for field in model._meta.get_fields()
            if (field.many_to_one or (field.one_to_one and field.concrete))
            and getattr(field, "related_model", None) in reach
        }
        if not more:
            return {model._meta.label for model in reach}
        reach |= more


def test_every_table_about_readers_has_somebody_who_answers_for_it() -> None:
    answered = {label for holder in registry.holders() for label in holder.models}
    assert models_that_reach_a_reader() - answered == set()
    assert all(apps.get_model(label) for label in answered)


# Who else's addresses are kept, and as what. A reader's address stands nowhere but with a holder.
NOT_OF_READERS = {
    "catalogue.Newsletter": "the publisher's own",
    "catalogue.Publisher": "the publisher's own",
    "desk.User": "staff",
    "signup.Suppression": "a keyed hash that must outlive the reader",
    "signup.Asked": "a keyed hash that goes after a day",
}


def models_that_hold_an_address() -> set[str]:
    """Every model with a field that looks like an address, or like the hash of one."""
    return {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, EmailField) or re.search("email|address_hash|recipient", field.name)
        if field.concrete and not model._meta.app_label.startswith(("wagtail", "auth"))
    }


def test_every_table_with_an_address_in_it_is_a_holders_or_somebody_elses() -> None:
    answered = {label for holder in registry.holders() for label in holder.models}
    assert models_that_hold_an_address() - answered == NOT_OF_READERS.keys()


def test_a_table_about_readers_that_nobody_answers_for_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test above would be worth nothing if it could not fail."""
    for name in ("sending", "outcomes"):
        monkeypatch.delitem(registry._holders, name)
    answered = {label for holder in registry.holders() for label in holder.models}
    assert models_that_reach_a_reader() - answered >= {
        "sending.Delivery",
        "sending.DigestMark",
        "outcomes.Event",
    }


def test_the_export_knows_everything_and_is_json(reader: Subscriber) -> None:
    document = json.loads(json.dumps(export(subscriber=reader)))
    signup = document["signup"]
    assert signup["address"] == "ada@example.org"
    assert {row["newsletter"] for row in signup["subscriptions"]} == {
        "Living Well",
        "My Conditions",
    }
    assert [row["condition"] for row in signup["follows"]] == ["Herniated disk"]
    assert len(signup["consents"]) == 6
    assert all(row["wording"] for row in signup["consents"])


def test_the_record_is_newest_first(reader: Subscriber) -> None:
    lines = record(subscriber=reader)
    assert len(lines) >= 6
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)


def test_erasing_leaves_nothing_that_names_the_reader(reader: Subscriber) -> None:
    Subscriber.objects.update(first_name="Ada", timezone="Europe/Berlin")
    assert erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("signup_", "sending_", "outcomes_")):
                cursor.execute(f'SELECT * FROM "{table}"')
                everything = str(cursor.fetchall())
                assert "ada@example" not in everything.lower(), table
                assert "'Ada'" not in everything, table
    subscriber = Subscriber.objects.get()
    assert subscriber.erased_at is not None
    assert subscriber.address_hash is None
    assert not Follow.objects.exists()
    assert not SignUp.objects.exists()
    assert not SystemMail.objects.exists()


def test_erasing_keeps_the_counts_the_proof_and_the_suppression(reader: Subscriber) -> None:
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    assert Subscriber.objects.count() == 1
    assert set(Subscription.objects.values_list("state", "ended_reason")) == {("ended", "erased")}
    assert suppress.is_suppressed("ada@example.org")
    assert ConsentSubject.objects.get().subscriber is None
    assert ConsentEntry.objects.latest("seq").action == "erased"
    assert consent.verify() == []


def test_erasing_twice_is_harmless(reader: Subscriber) -> None:
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    assert not erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    assert ConsentEntry.objects.filter(action="erased").count() == 1


def test_an_erasure_that_fails_half_way_leaves_the_reader_whole(
    reader: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name = "zz broken"
        models: tuple[str, ...] = ()

        def record(self, subscriber: Subscriber) -> list[registry.Line]:
            return []

        def export(self, subscriber: Subscriber) -> dict[str, Any]:
            return {}

        def erase(self, subscriber: Subscriber) -> None:
            raise RuntimeError("disk full")

    monkeypatch.setitem(registry._holders, "zz broken", Broken())
    with pytest.raises(RuntimeError):
        erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    reader.refresh_from_db()
    assert reader.email == "ada@example.org"
    assert Subscription.objects.live().count() == 2
    assert not Suppression.objects.exists()


def test_an_erased_reader_may_come_back_as_somebody_new(reader: Subscriber, ask: Asking) -> None:
    from signup.confirm import confirm

    with time_machine.travel(timezone.now(), tick=False) as clock:
        clock.shift(timedelta(hours=1))
        erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
        clock.shift(timedelta(hours=1))
        assert ask() is None  # the one confirmation in thirty days was the one this morning
        clock.shift(timedelta(days=31))
        owed = ask()
        assert owed is not None and owed.sign_up is not None
        confirm(sign_up=owed.sign_up)
    assert Subscriber.objects.count() == 2
    assert not suppress.is_suppressed("ada@example.org")


def test_the_commands_export_and_erase(
    reader: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_subscriber", " Ada@Example.org ")
    assert json.loads(capsys.readouterr().out)["signup"]["address"] == "ada@example.org"
    with pytest.raises(CommandError, match="--yes"):
        call_command("erase_subscriber", "ada@example.org")
    reader.refresh_from_db()
    assert reader.email
    call_command("erase_subscriber", "ada@example.org", "--yes")
    assert not Subscriber.objects.filter(email__isnull=False).exists()
    assert ConsentEntry.objects.latest("seq").method == "command"


@pytest.mark.parametrize("command", ["export_subscriber", "erase_subscriber"])
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("ada", "with an @"),
        ("bob@example.org", "No reader"),
        ("", "Enter"),
        ("a\x00@b.org", "seen"),
    ],
)
def test_the_commands_say_what_is_wrong(
    reader: Subscriber, command: str, typed: str, says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(command, typed)
    assert Subscription.objects.live().count() == 2


# --- Retention ------------------------------------------------------------------------------------


def test_what_was_never_confirmed_goes_after_thirty_days(ask: Asking) -> None:
    ask()
    retention.purge()
    assert Subscriber.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert retention.purge() == 1
        assert retention.purge() == 0
    for model in (Subscriber, SignUp, Subscription, SystemMail):
        assert not model.objects.exists()
    assert consent.verify() == []
    assert ConsentSubject.objects.get().subscriber is None


def test_a_confirmed_reader_stays_and_what_was_typed_goes(reader: Subscriber) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert retention.purge() == 0
    assert Subscription.objects.live().count() == 2
    assert Follow.objects.count() == 1
    assert not SignUp.objects.exists()
    assert consent.verify() == []


def test_a_recent_sign_up_keeps_an_old_row(ask: Asking) -> None:
    ask()
    with time_machine.travel(timezone.now() + timedelta(days=25)):
        ask()
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        retention.purge()
    assert Subscriber.objects.count() == 1
    assert Subscription.objects.count() == 2


# --- The notice -----------------------------------------------------------------------------------


def test_the_notice_says_what_is_done(client: Client, catalogue: Catalogue) -> None:
    page = client.get("/privacy/").content.decode()
    for promise in (
        "We do not combine any of this with data from elsewhere",
        "A safety alert, such as a recall of a medicine, does not wait",
        "72 hours",
        "30 days",
        "explicit consent",
        "data protection authority",
        "They set no cookies",
    ):
        assert promise in page, promise


def test_a_publishers_own_notice_takes_its_place(client: Client, catalogue: Catalogue) -> None:
    Publisher.objects.update_or_create(pk=1, defaults={"privacy_notice": "<p>Our own words.</p>"})
    page = client.get("/privacy/").content.decode()
    assert "Our own words." in page
    assert "recall of a medicine" not in page
