"""Whoever gets past the triggers is found out, and told where: any change, anywhere, at random."""

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signup import consent, unsubscribe
from signup.confirm import confirm
from signup.consent import seals
from signup.models import ConsentEntry, ConsentSubject, SignUp, Subscriber, Subscription, SystemMail
from tests.running.examples import examples
from tests.signup.tampering import lift_guards, sql, stored

Asking = Callable[..., SystemMail | None]
ENTRY = "signup_consententry"
HEAD = "signup_consentsubject"


@pytest.fixture(autouse=True)
def _seals_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.LEDGER_SEAL_DIR = tmp_path / "seals"


@pytest.fixture
def two(ask: Asking, reader: Subscriber) -> tuple[UUID, UUID]:
    """Ada's chain and Bob's, six lines each, sealed."""
    ask("bob@example.org")
    confirm(sign_up=SignUp.objects.get(subscriber__email_key="bob@example.org"))
    bob = Subscriber.objects.get(email_key="bob@example.org")
    assert seals.seal() is not None
    lift_guards()
    return reader.consent_subject.subject, bob.consent_subject.subject


def said() -> list[str]:
    return [str(fault) for fault in consent.verify() if "trigger" not in fault.what]


def places() -> set[tuple[UUID | None, int | None]]:
    return {(fault.subject, fault.seq) for fault in consent.verify() if fault.subject is not None}


def test_a_whole_and_sealed_ledger_has_no_faults(two: tuple[UUID, UUID]) -> None:
    assert said() == []


def test_a_line_that_is_gone_from_the_middle_is_named(two: tuple[UUID, UUID]) -> None:
    # No line that a subscription points at: those the database itself holds on to.
    sql(f"DELETE FROM {ENTRY} WHERE subject = %s AND seq = 2", stored(two[0]))
    assert f"subject {two[0]}, entry 2: is missing" in said()
    assert all(str(two[1]) not in fault for fault in said())


def test_lines_in_another_order_are_named_with_the_place_they_had(two: tuple[UUID, UUID]) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        sql(f"UPDATE {ENTRY} SET seq = {new} WHERE subject = %s AND seq = {old}", stored(two[0]))
    assert {
        f"subject {two[0]}, entry 2: was changed after it was written: it stood in place 3",
        f"subject {two[0]}, entry 3: was changed after it was written: it stood in place 2",
    } <= set(said())


def _cut(subject: UUID, upto: int) -> None:
    """Take the end off, and set the head back as though it had never been."""
    Subscription.objects.filter(subscriber__consent_subject__subject=subject).update(
        state="ended", ended_reason="staff", consent=None
    )
    Subscriber.objects.filter(consent_subject__subject=subject).update(health_consent=None)
    sql(f"DELETE FROM {ENTRY} WHERE subject = %s AND seq > {upto}", stored(subject))
    sql(
        f"UPDATE {HEAD} SET head_seq = {upto}, sealed_seq = {upto}, head_hash = "
        f"(SELECT entry_hash FROM {ENTRY} WHERE subject = %s AND seq = {upto}) WHERE subject = %s",
        stored(subject),
        stored(subject),
    )


def test_an_end_cut_off_together_with_its_head_shows_in_the_seals(two: tuple[UUID, UUID]) -> None:
    _cut(two[0], 4)
    assert said() == [
        f"subject {two[0]}, entry 5: was cut off: seal 1 knows 6 entries, the chain ends at 4"
    ]


def test_a_whole_chain_that_is_gone_shows_in_the_seals(two: tuple[UUID, UUID]) -> None:
    Subscription.objects.filter(subscriber__consent_subject__subject=two[0]).delete()
    Subscriber.objects.filter(consent_subject__subject=two[0]).update(health_consent=None)
    sql(f"DELETE FROM {ENTRY} WHERE subject = %s", stored(two[0]))
    sql(f"DELETE FROM {HEAD} WHERE subject = %s", stored(two[0]))
    assert said() == [f"subject {two[0]}: the whole chain is gone; seal 1 knows 6 entries"]


def test_two_chains_swapped_are_found_in_every_line(two: tuple[UUID, UUID]) -> None:
    one, other = two
    nobody = UUID(int=0)
    for old, new in ((one, nobody), (other, one), (nobody, other)):
        sql(f"UPDATE {ENTRY} SET subject = %s WHERE subject = %s", stored(new), stored(old))
    hashes = dict(ConsentSubject.objects.values_list("subject", "head_hash"))
    ConsentSubject.objects.filter(subject=one).update(head_hash=hashes[other])
    ConsentSubject.objects.filter(subject=other).update(head_hash=hashes[one])
    assert {(subject, seq) for subject in two for seq in range(1, 7)} <= places()


def test_two_readers_swapped_between_their_chains_are_found(two: tuple[UUID, UUID]) -> None:
    ada, bob = (ConsentSubject.objects.get(subject=subject) for subject in two)
    readers = ada.subscriber_id, bob.subscriber_id
    for chain in (ada, bob):
        ConsentSubject.objects.filter(pk=chain.pk).update(subscriber=None)
    ConsentSubject.objects.filter(pk=ada.pk).update(subscriber=readers[1])
    ConsentSubject.objects.filter(pk=bob.pk).update(subscriber=readers[0])
    assert any("live without a consent of its own" in fault for fault in said())
    assert any("no consent of their own for health" in fault for fault in said())


def test_a_forged_tombstone_opens_no_gap(two: tuple[UUID, UUID]) -> None:
    sql(f"UPDATE {ENTRY} SET action = 'tombstone' WHERE subject = %s AND seq = 3", stored(two[0]))
    sql(f"DELETE FROM {ENTRY} WHERE subject = %s AND seq < 3", stored(two[0]))
    assert (two[0], 3) in places()


def test_a_live_subscription_that_was_ended_in_the_ledger_is_found(reader: Subscriber) -> None:
    subscription = Subscription.objects.get(subscriber=reader, newsletter__slug="living-well")
    given_by = subscription.consent_id
    unsubscribe.end(
        subscription=subscription,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    Subscription.objects.filter(pk=subscription.pk).update(
        state="live", ended_reason="", consent_id=given_by
    )
    assert (
        f"ledger: subscription {subscription.pk} is live although its consent was ended" in said()
    )


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "action": st.sampled_from(ConsentEntry.Action.values),
    "purpose": st.sampled_from(["", "mail", "health", "measurement"]),
    "method": st.sampled_from(ConsentEntry.Method.values),
    "form_url": st.text(st.characters(codec="ascii", min_codepoint=32), max_size=20),
    "evidence": st.text(
        st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20
    ),
    "key_version": st.integers(1, 3),
    "previous_hash": st.binary(min_size=32, max_size=32),
    "entry_hash": st.binary(min_size=32, max_size=32),
    "text_id": st.one_of(st.none(), st.integers(1, 3)),
    "at": st.datetimes(),
}


@given(data=st.data(), whose=st.integers(0, 1), seq=st.integers(1, 6))
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_change_to_any_column_of_any_line_is_found_where_it_was_made(
    two: tuple[UUID, UUID], data: st.DataObject, whose: int, seq: int
) -> None:
    column = data.draw(st.sampled_from(sorted(COLUMNS)))
    value = data.draw(COLUMNS[column])
    if column == "at":
        value = value.replace(tzinfo=UTC)
    line = ConsentEntry.objects.filter(subject=two[whose], seq=seq)
    old = line.values_list(column, flat=True).get()
    try:
        with transaction.atomic():
            if column in {"action"} and value in {"imported", "soft_opt_in"}:
                line.update(evidence=line.get().evidence or "none")
            line.update(**{column: value})
            changed = (bytes(old) if isinstance(old, memoryview) else old) != value
            found = places()
            assert bool(found) == changed
            if changed:
                assert (two[whose], seq) in found or (two[whose], seq + 1) in found
                assert {subject for subject, _seq in found} == {two[whose]}
            raise _Undone
    except _Undone:
        pass


class _Undone(Exception):
    """Takes one example back."""


@given(gone=st.sets(st.integers(1, 6), min_size=1))
@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_lines_that_are_removed_are_missed(two: tuple[UUID, UUID], gone: set[int]) -> None:
    try:
        with transaction.atomic():
            Subscription.objects.filter(subscriber__consent_subject__subject=two[1]).update(
                state="ended", ended_reason="staff", consent=None
            )
            Subscriber.objects.filter(consent_subject__subject=two[1]).update(health_consent=None)
            ConsentEntry.objects.filter(subject=two[1], seq__in=gone)._raw_delete("default")
            found = places()
            assert (two[1], min(gone)) in found or (two[1], None) in found
            assert {subject for subject, _seq in found} == {two[1]}
            raise _Undone
    except _Undone:
        pass
