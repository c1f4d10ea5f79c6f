"""The one way out of the ledger, and everything that is not it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from signup import consent, tasks
from signup.consent import retention, seals
from signup.models import ConsentEntry, ConsentSubject, Subscriber, SystemMail
from signup.privacy.erase import erase
from tests.signup.tampering import sql, stored

Asking = Callable[..., SystemMail | None]
FIVE_YEARS = timedelta(days=1830)


@pytest.fixture(autouse=True)
def _seals_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.LEDGER_SEAL_DIR = tmp_path / "seals"


@pytest.fixture
def gone(reader: Subscriber) -> Subscriber:
    """Ada, sealed, then erased."""
    seals.seal()
    erase(subscriber=reader, method=ConsentEntry.Method.STAFF, source="test")
    return reader


def said() -> list[str]:
    return [str(fault) for fault in consent.verify() if "sealing has stopped" not in fault.what]


def test_after_its_time_a_chain_leaves_a_sealed_tombstone(gone: Subscriber) -> None:
    with time_machine.travel(timezone.now() + FIVE_YEARS):
        assert retention.remove() == 1
        line = ConsentEntry.objects.get()
        assert line.action == "tombstone"
        assert line.seq == ConsentSubject.objects.get().head_seq == 10
        assert "entries 1 to 9" in line.evidence
        assert said() == []
        seals.seal()
        assert said() == []
        assert retention.remove() == 0, "a tombstone is not buried again"


def test_before_its_time_nothing_goes(gone: Subscriber) -> None:
    with time_machine.travel(timezone.now() + FIVE_YEARS - timedelta(days=10)):
        assert retention.remove() == 0
    assert ConsentEntry.objects.count() == 9


def test_what_mail_still_rests_on_never_goes(reader: Subscriber) -> None:
    with time_machine.travel(timezone.now() + 3 * FIVE_YEARS):
        assert retention.remove() == 0
    assert ConsentEntry.objects.count() == 6


def test_nought_days_means_for_ever(gone: Subscriber, settings: Any) -> None:
    settings.LEDGER_KEEP_DAYS = 0
    with time_machine.travel(timezone.now() + 3 * FIVE_YEARS):
        assert retention.remove() == 0


def test_a_chain_goes_on_after_its_tombstone(ask: Asking) -> None:
    ask()
    subject = ConsentSubject.objects.get()
    subject.subscriber.subscriptions.all().delete()  # type: ignore[union-attr]
    with time_machine.travel(timezone.now() + FIVE_YEARS):
        assert retention.remove() == 1
        ask()
        assert list(ConsentEntry.objects.order_by("seq").values_list("seq", "action")) == [
            (4, "tombstone"),
            (5, "given"),
            (6, "given"),
            (7, "given"),
        ]
        assert said() == []


def test_a_tombstone_that_is_removed_is_missed(gone: Subscriber) -> None:
    from tests.signup.tampering import lift_guards

    with time_machine.travel(timezone.now() + FIVE_YEARS):
        retention.remove()
        seals.seal()
        lift_guards()
        ConsentEntry.objects.all().delete()
        assert any("the whole chain is gone" in fault for fault in said())


def test_lines_below_a_tombstone_are_refused_outside_of_retention(gone: Subscriber) -> None:
    """A tombstone alone opens nothing, and neither does naming the subject alone."""
    chain = ConsentSubject.objects.get()
    with transaction.atomic():
        consent.append(
            ConsentSubject.objects.select_for_update().get(),
            [
                consent.Statement(
                    action=ConsentEntry.Action.TOMBSTONE, method=ConsentEntry.Method.TERM
                )
            ],
            timezone.now(),
        )
    _refused("DELETE FROM signup_consententry WHERE seq = 1")
    assert ConsentEntry.objects.filter(subject=chain.subject).count() == 10


def test_naming_a_subject_without_a_tombstone_opens_nothing(gone: Subscriber) -> None:
    subject = ConsentSubject.objects.get().subject
    with retention._named(subject):
        _refused("DELETE FROM signup_consententry WHERE seq = 1")
    assert ConsentEntry.objects.count() == 9


def test_naming_one_subject_opens_no_other(gone: Subscriber, ask: Asking) -> None:
    ask("bob@example.org")
    bob = ConsentSubject.objects.get(subscriber__email_key="bob@example.org").subject
    with time_machine.travel(timezone.now() + FIVE_YEARS):
        retention.remove()
    ada = ConsentSubject.objects.exclude(subject=bob).get().subject
    with retention._named(ada):
        _refused("DELETE FROM signup_consententry WHERE subject = %s", stored(bob))


def test_the_door_is_shut_again_in_the_same_transaction(gone: Subscriber) -> None:
    with time_machine.travel(timezone.now() + FIVE_YEARS):
        retention.remove()
        _refused("DELETE FROM signup_consententry")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM signup_ledger_retention")
            assert cursor.fetchone() == (0,)


@pytest.mark.sqlite
def test_a_door_left_open_is_told(reader: Subscriber) -> None:
    sql("INSERT INTO signup_ledger_retention (subject) VALUES ('x')")
    assert any("lines could be removed" in fault for fault in said())


def test_the_nightly_task_does_it(gone: Subscriber) -> None:
    with time_machine.travel(timezone.now() + FIVE_YEARS):
        tasks.expire_consents()
        assert ConsentEntry.objects.get().action == "tombstone"


def _refused(statement: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement, *values)
