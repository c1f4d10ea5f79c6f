"""Consent ends a stated time after the last mail, and the ledger says so."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from signup import consent
from signup.consent import expiry
from signup.models import ConsentEntry, ConsentTerm, Subscriber, Subscription, SystemMail
from tests.signup.conftest import Catalogue

Asking = Callable[..., SystemMail | None]
TERM = timedelta(days=731)


@pytest.fixture(autouse=True)
def mailed(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """Who was mailed lately, by the account of a later station."""
    found: set[int] = set()
    monkeypatch.setattr(expiry, "_askers", [lambda _newsletter, _ids, _since: found])
    yield found


def live() -> set[str]:
    return set(Subscription.objects.live().values_list("newsletter__slug", flat=True))


def test_who_was_not_mailed_for_the_whole_term_is_let_go(reader: Subscriber) -> None:
    with time_machine.travel(timezone.now() + TERM):
        assert expiry.expire() == 2
        assert live() == set()
        ended = Subscription.objects.get(newsletter__slug="living-well")
        assert (ended.state, ended.ended_reason) == ("ended", "expired")
        lines = ConsentEntry.objects.filter(action="expired")
        assert {line.newsletter_id for line in lines} == set(
            Subscription.objects.values_list("newsletter", flat=True)
        )
        assert {line.method for line in lines} == {"term"}
        assert consent.verify() == []
        assert expiry.expire() == 0, "harmless twice"


def test_a_mail_within_the_term_keeps_it(reader: Subscriber, mailed: set[int]) -> None:
    mailed.add(reader.pk)
    with time_machine.travel(timezone.now() + TERM):
        assert expiry.expire() == 0
    assert len(live()) == 2


def test_a_pause_that_ended_within_the_term_counts_like_a_mail(reader: Subscriber) -> None:
    Subscription.objects.update(paused_until=timezone.now() + timedelta(days=400))
    with time_machine.travel(timezone.now() + TERM):
        assert expiry.expire() == 0


def test_before_the_term_nothing_ends(reader: Subscriber) -> None:
    with time_machine.travel(timezone.now() + TERM - timedelta(days=3)):
        assert expiry.expire() == 0


def test_a_newsletter_may_have_a_term_of_its_own(catalogue: Catalogue, reader: Subscriber) -> None:
    ConsentTerm.objects.create(newsletter=catalogue.living_well, days=90)
    ConsentTerm.objects.create(newsletter=catalogue.digest, days=0)
    with time_machine.travel(timezone.now() + 3 * TERM):
        assert expiry.expire() == 1
    assert live() == {"my-conditions"}


def test_nought_days_means_never(reader: Subscriber, settings: Any) -> None:
    settings.CONSENT_EXPIRES_AFTER_DAYS = 0
    with time_machine.travel(timezone.now() + 3 * TERM):
        assert expiry.expire() == 0


def test_who_agreed_anew_meanwhile_is_not_let_go(reader: Subscriber) -> None:
    subscription = Subscription.objects.get(newsletter__slug="living-well")
    assert not expiry.end_as_expired(
        subscription_id=subscription.pk, consented_before=timezone.now() - timedelta(days=1)
    )
    assert len(live()) == 2
