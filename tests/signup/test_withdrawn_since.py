"""What a reader took back after asking stays taken back, and leaves nothing of it lying about."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from signup import letter, preferences, tokens, unsubscribe
from signup.address import hash_address
from signup.confirm import confirm
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
)
from signup.privacy.retention import purge
from signup.suppress import suppress
from tests.signup.conftest import Purpose

pytestmark = pytest.mark.django_db


def later(**delta):
    return time_machine.travel(timezone.now() + timedelta(**delta))


def test_an_older_link_gives_back_no_consent_for_health(ask, reader, catalogue):
    with later(days=2):
        mail = ask(newsletters=[catalogue.living_well], conditions=[catalogue.asthma])
    with later(days=2, hours=1):
        preferences.withdraw(subscriber=reader, purpose=Purpose.HEALTH)
    with later(days=2, hours=2):
        confirm(sign_up=mail.sign_up, asked_at=mail.created_at)
    reader.refresh_from_db()
    assert reader.health_consent_id is None
    assert not Follow.objects.filter(subscriber=reader).exists()
    last = ConsentEntry.objects.filter(purpose=Purpose.HEALTH).order_by("-seq").first()
    assert last.action == ConsentEntry.Action.WITHDRAWN


def test_an_older_link_gives_back_no_consent_to_be_measured(ask, reader):
    texts = list(current_texts("en").values())
    with later(days=2):
        confirm(sign_up=ask(consent_texts=texts).sign_up)
    with later(days=4):
        mail = ask(consent_texts=texts)
    with later(days=4, hours=1):
        preferences.withdraw(subscriber=reader, purpose=Purpose.MEASUREMENT)
    with later(days=4, hours=2):
        confirm(sign_up=mail.sign_up, asked_at=mail.created_at)
    reader.refresh_from_db()
    assert reader.measurement_consent_id is None


def test_withdrawing_health_leaves_no_condition_in_what_was_typed(reader):
    preferences.withdraw(subscriber=reader, purpose=Purpose.HEALTH)
    assert not SignUp.conditions.through.objects.filter(signup__subscriber=reader).exists()


def test_what_was_followed_goes_a_month_after_leaving(reader):
    unsubscribe.end_all(
        subscriber=reader,
        reason=Subscription.EndedReason.PREFERENCES,
        method=ConsentEntry.Method.PREFERENCES,
    )
    purge()
    assert Follow.objects.filter(subscriber=reader).exists(), "leaving can still be undone"
    with later(days=31):
        purge()
    assert not Follow.objects.filter(subscriber=reader).exists()


def test_what_a_live_reader_follows_is_never_purged(reader):
    with later(days=400):
        purge()
    assert Follow.objects.filter(subscriber=reader).exists()


def test_asking_again_in_the_second_of_leaving_counts_as_after_it(ask, reader):
    base = (timezone.now() + timedelta(days=3)).replace(microsecond=200_000)
    with time_machine.travel(base, tick=False):
        for subscription in reader.subscriptions.all():
            unsubscribe.end(
                subscription=subscription,
                reason=Subscription.EndedReason.UNSUBSCRIBED,
                method=ConsentEntry.Method.LINK,
            )
    with time_machine.travel(base + timedelta(milliseconds=500), tick=False):
        mail = ask()
        token = letter.link(mail).rstrip("/").rsplit("/", 1)[1]
        claims = tokens.read(tokens.Purpose.CONFIRM, token)
        assert confirm(sign_up=mail.sign_up, asked_at=claims.issued_at).now
    assert Subscriber.objects.get().subscriptions.live().exists()


def test_a_suppression_under_an_older_key_still_holds_back_the_link(reader, settings):
    suppress(address_key="ada@example.org", reason=Suppression.Reason.REQUEST, source="test")
    settings.SUPPRESSION_KEYS = ((2, b"n" * 32), *settings.SUPPRESSION_KEYS)
    Subscriber.objects.update(address_hash=hash_address("ada@example.org"))
    assert preferences.request_link(address_key="ada@example.org") is None
