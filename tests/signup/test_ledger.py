"""The consent ledger: append-only, and whoever changes it past its guards is found out."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from signup import consent
from signup.models import (
    ConsentEntry,
    ConsentSubject,
    ConsentText,
    Subscriber,
    Subscription,
    SystemMail,
)
from tests.signup.tampering import lift_guards

Asking = Callable[..., SystemMail | None]


@pytest.fixture
def lifted() -> Callable[[], None]:
    return lift_guards


def faults_of_chains() -> list[str]:
    return [str(fault) for fault in consent.verify() if fault.subject is not None]


def test_a_whole_ledger_has_no_faults(reader: Subscriber) -> None:
    assert consent.verify() == []
    assert ConsentEntry.objects.count() == 6  # two newsletters and health, given and confirmed


def test_every_line_carries_what_was_said(reader: Subscriber) -> None:
    lines = list(
        ConsentEntry.objects.order_by("seq").values_list("seq", "action", "purpose", "method")
    )
    assert lines == [
        (1, "given", "mail", "form"),
        (2, "given", "mail", "form"),
        (3, "given", "health", "form"),
        (4, "confirmed", "mail", "confirmation"),
        (5, "confirmed", "mail", "confirmation"),
        (6, "confirmed", "health", "confirmation"),
    ]
    entry = ConsentEntry.objects.get(seq=1)
    assert entry.text == consent.current_texts("en")[ConsentText.Purpose.MAIL]
    assert entry.form_url == "https://wellread.example/sign-up/"
    assert "Wellread" in entry.evidence


def test_the_ledger_holds_no_address_and_no_name(ask: Asking) -> None:
    ask("ada@example.org", first_name="Ada")
    with connection.cursor() as cursor:
        for table in ("signup_consententry", "signup_consentsubject"):
            cursor.execute(f"SELECT * FROM {table}")
            everything = str(cursor.fetchall()).lower()
            # As a word: ids and tokens have letters too.
            assert not re.search(r"\bada\b", everything)


STATEMENTS = [
    "UPDATE signup_consententry SET action = 'given'",
    "UPDATE signup_consententry SET entry_hash = previous_hash",
    "DELETE FROM signup_consententry",
    "UPDATE signup_consenttext SET wording = 'Sell me' WHERE approved_at IS NOT NULL",
    "DELETE FROM signup_consenttext WHERE approved_at IS NOT NULL",
    "DELETE FROM signup_consentsubject",
    "UPDATE signup_consentsubject SET head_seq = head_seq - 1",
    "UPDATE signup_consentsubject SET head_seq = 0",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_refuses_to_change_the_past(reader: Subscriber, statement: str) -> None:
    before = list(ConsentEntry.objects.order_by("pk").values())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(ConsentEntry.objects.order_by("pk").values()) == before
    assert consent.verify() == []


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["consententry", "consenttext", "consentsubject"])
def test_the_database_refuses_truncate(reader: Subscriber, table: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the rows just written forbid it
        cursor.execute(f"TRUNCATE signup_{table} CASCADE")
    assert ConsentEntry.objects.count() == 6


@pytest.mark.parametrize(
    ("change", "finds"),
    [
        ("UPDATE signup_consententry SET action = 'imported' WHERE seq = 2", "was changed"),
        ("UPDATE signup_consententry SET form_url = 'https://x.example' WHERE seq = 2", "changed"),
        ("UPDATE signup_consententry SET seq = 9 WHERE seq = 6", "is missing"),
        ("UPDATE signup_consentsubject SET head_seq = 5", "its head says 5"),
        (
            "UPDATE signup_consentsubject SET head_hash = "
            "(SELECT entry_hash FROM signup_consententry WHERE seq = 1)",
            "head is not the hash",
        ),
        ("UPDATE signup_consenttext SET wording = 'Something else'", "was changed"),
        (
            "UPDATE signup_consententry SET previous_hash = entry_hash WHERE seq = 3",
            "does not follow",
        ),
    ],
)
def test_what_was_changed_past_the_guards_is_found(
    reader: Subscriber, lifted: Callable[[], None], change: str, finds: str
) -> None:
    lifted()
    with connection.cursor() as cursor:
        cursor.execute(change)
    assert any(finds in fault for fault in faults_of_chains())


def test_a_missing_end_of_the_chain_is_found(ask: Asking, lifted: Callable[[], None]) -> None:
    ask()
    lifted()
    ConsentEntry.objects.filter(seq=3).delete()
    assert any("its head says 3 entries" in fault for fault in faults_of_chains())


def test_a_chain_without_its_subject_is_found(ask: Asking, lifted: Callable[[], None]) -> None:
    ask()
    lifted()
    ConsentSubject.objects.all().delete()
    assert any("belongs to no chain" in fault for fault in faults_of_chains())


def test_missing_guards_are_found(reader: Subscriber, lifted: Callable[[], None]) -> None:
    lifted()
    assert any("consent_entry_no_update is missing" in str(fault) for fault in consent.verify())


def test_a_forged_line_needs_the_key_outside_the_database(
    reader: Subscriber, settings: Any
) -> None:
    genuine = settings.LEDGER_KEYS
    settings.LEDGER_KEYS = ((genuine[0][0], b"guessed" * 5),)
    with transaction.atomic():
        consent.record(
            subscriber=reader,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=ConsentText.Purpose.MEASUREMENT,
            method=ConsentEntry.Method.FORM,
        )
    settings.LEDGER_KEYS = genuine
    assert any("entry 7: was changed" in fault for fault in faults_of_chains())


def test_a_chain_goes_on_under_a_new_key(reader: Subscriber, settings: Any) -> None:
    settings.LEDGER_KEYS = ((2, b"n" * 32), *settings.LEDGER_KEYS)
    with transaction.atomic():
        entry = consent.record(
            subscriber=reader,
            action=ConsentEntry.Action.WITHDRAWN,
            purpose=ConsentText.Purpose.MEASUREMENT,
            method=ConsentEntry.Method.PREFERENCES,
        )
    assert entry.key_version == 2
    assert consent.verify() == []


def test_a_key_that_is_no_longer_listed_is_named(reader: Subscriber, settings: Any) -> None:
    settings.LEDGER_KEYS = ((2, b"n" * 32),)
    assert any("which LEDGER_KEYS does not list" in fault for fault in faults_of_chains())


@pytest.mark.django_db(transaction=True)
def test_a_line_is_written_only_with_what_it_proves(reader: Subscriber) -> None:
    with pytest.raises(TransactionManagementError):
        consent.record(
            subscriber=reader,
            action=ConsentEntry.Action.WITHDRAWN,
            purpose=ConsentText.Purpose.HEALTH,
            method=ConsentEntry.Method.PREFERENCES,
        )
    assert ConsentEntry.objects.count() == 6


def test_a_live_subscription_with_another_readers_consent_is_found(
    reader: Subscriber, ask: Asking
) -> None:
    from signup.confirm import confirm
    from signup.models import SignUp

    ask("bob@example.org")
    confirm(sign_up=SignUp.objects.get(subscriber__email_key="bob@example.org"))
    bobs = Subscription.objects.get(
        subscriber__email_key="bob@example.org", newsletter__slug="living-well"
    )
    Subscription.objects.filter(subscriber=reader, newsletter__slug="living-well").update(
        consent=bobs.consent
    )
    assert any("live without a consent of its own" in str(fault) for fault in consent.verify())


def test_the_command_says_that_the_ledger_holds(
    reader: Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_ledger")
    assert "The ledger holds: 6 entries in 1 chains, not sealed yet." in capsys.readouterr().out


def test_the_command_fails_loudly(reader: Subscriber, lifted: Callable[[], None]) -> None:
    lifted()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger")


def test_there_is_a_wording_for_every_purpose_and_it_falls_back(db: None) -> None:
    texts = consent.current_texts("de-at")
    assert set(texts) == set(ConsentText.Purpose)
    assert all(len(text.wording.split()) < 32 for text in texts.values())


def test_the_newest_wording_is_shown_and_ensure_texts_leaves_it_alone(db: None) -> None:
    newer = ConsentText.objects.create(
        purpose="mail",
        language="en",
        version=2,
        wording="Yes, write to me.",
        approved_at=timezone.now(),
    )
    before = ConsentText.objects.count()
    consent.ensure_texts()
    assert consent.current_texts("en")[ConsentText.Purpose.MAIL] == newer
    assert ConsentText.objects.count() == before


def test_without_wording_there_is_no_consent(db: None, lifted: Callable[[], None]) -> None:
    lifted()
    ConsentText.objects.all().delete()
    with pytest.raises(consent.MissingText):
        consent.current_texts("en")
