"""Bases that are no confirmed sign-up: by name, with evidence, never for health."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter.audience.recipients import recipients
from signup import consent, unsubscribe
from signup.address import normalise
from signup.consent import bases
from signup.models import ConsentEntry, ConsentText, Subscriber, Subscription, Suppression
from signup.suppress import suppress
from tests.signup.conftest import Catalogue, make_newsletter

SALE: dict[str, Any] = {"reference": "invoice 812", "refusal_offered": "a box on the order form"}
ORIGIN: dict[str, Any] = {"source": "the old list", "proof": "export of 2025-01-02, line 9"}


def sold(newsletter: Any, **changes: Any) -> Subscription:
    values = {"on": timezone.localdate(), **SALE, **changes}
    return bases.record_soft_opt_in(
        address=normalise("cy@example.org"),
        newsletter=newsletter,
        sale=bases.Sale(**values),
        by="x",
    )


def brought(newsletter: Any, email: str = "cy@example.org", **changes: Any) -> Subscription:
    values = {"given_on": timezone.localdate(), **ORIGIN, **changes}
    return bases.record_import(
        address=normalise(email), newsletter=newsletter, origin=bases.Origin(**values), by="x"
    )


def test_soft_opt_in_is_a_basis_of_its_own_with_its_evidence(catalogue: Catalogue) -> None:
    subscription = sold(catalogue.living_well)
    entry = ConsentEntry.objects.get()
    assert (entry.action, entry.method, entry.purpose) == ("soft_opt_in", "sale", "mail")
    assert "invoice 812" in entry.evidence and "a box on the order form" in entry.evidence
    assert list(recipients(catalogue.living_well)) == [subscription]
    assert consent.verify() == []


def test_an_import_is_a_basis_of_its_own_with_its_evidence(catalogue: Catalogue) -> None:
    subscription = brought(catalogue.living_well)
    entry = ConsentEntry.objects.get()
    assert (entry.action, entry.method) == ("imported", "import")
    assert "line 9" in entry.evidence
    assert list(recipients(catalogue.living_well)) == [subscription]
    assert consent.verify() == []


@pytest.mark.parametrize(
    "missing", [{"reference": " "}, {"refusal_offered": ""}, {"on": "tomorrow"}]
)
def test_soft_opt_in_without_evidence_is_refused(
    catalogue: Catalogue, missing: dict[str, Any]
) -> None:
    if "on" in missing:
        missing = {"on": timezone.localdate() + timedelta(1)}
    with pytest.raises(bases.BasisRefused):
        sold(catalogue.living_well, **missing)
    _nothing_written()


@pytest.mark.parametrize("missing", [{"source": ""}, {"proof": " "}, {"proof": "x" * 600}])
def test_an_import_without_evidence_is_refused(
    catalogue: Catalogue, missing: dict[str, Any]
) -> None:
    with pytest.raises(bases.BasisRefused):
        brought(catalogue.living_well, **missing)
    _nothing_written()


@pytest.mark.parametrize("record", [sold, brought])
def test_neither_carries_what_says_something_about_health(
    catalogue: Catalogue, record: Any
) -> None:
    sensitive = make_newsletter("quiet", sensitive=True)
    for newsletter in (catalogue.digest, sensitive):
        with pytest.raises(bases.BasisRefused, match="health"):
            record(newsletter)
    _nothing_written()


def test_neither_lifts_a_suppression_or_revives_who_left(
    catalogue: Catalogue, reader: Subscriber
) -> None:
    """Invariant 9."""
    suppress(address_key="cy@example.org", reason=Suppression.Reason.REQUEST, source="test")
    with pytest.raises(bases.BasisRefused, match="must not be mailed"):
        brought(catalogue.living_well)
    unsubscribe.end_all(
        subscriber=reader,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    before = ConsentEntry.objects.count()
    with pytest.raises(bases.BasisRefused, match="has left"):
        brought(catalogue.living_well, "ada@example.org")
    assert ConsentEntry.objects.count() == before
    assert not Subscription.objects.live().exists()
    assert Suppression.objects.count() == 1


def test_who_is_live_already_keeps_the_stronger_basis(
    catalogue: Catalogue, reader: Subscriber
) -> None:
    before = ConsentEntry.objects.count()
    subscription = brought(catalogue.living_well, "ada@example.org")
    assert subscription.consent is not None and subscription.consent.action == "confirmed"
    assert ConsentEntry.objects.count() == before


@pytest.mark.parametrize("action", ["imported", "soft_opt_in"])
def test_the_database_itself_asks_for_evidence(reader: Subscriber, action: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        consent.record(
            subscriber=reader,
            action=ConsentEntry.Action(action),
            purpose=ConsentText.Purpose.MAIL,
            method=ConsentEntry.Method.STAFF,
        )


def _nothing_written() -> None:
    assert not ConsentEntry.objects.exists()
    assert not Subscription.objects.exists()
