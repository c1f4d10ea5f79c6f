"""Asking: kept, written down, one mail; and a stranger's typing changes nothing for a reader."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from signup import keeping, subscribe, unsubscribe
from signup.address import normalise
from signup.confirm import Superseded, confirm
from signup.consent import current_texts
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    SystemMail,
)
from signup.suppress import is_suppressed, suppress
from tests.signup.conftest import Catalogue, make_newsletter

Asking = Callable[..., SystemMail | None]
Purpose = ConsentText.Purpose
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def end(subscription: Subscription) -> unsubscribe.Ended:
    return unsubscribe.end(
        subscription=subscription,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )


def test_asking_leaves_everything_pending(ask: Asking, catalogue: Catalogue) -> None:
    mail = ask()
    assert mail is not None
    assert mail.kind == SystemMail.Kind.CONFIRM
    subscriber = Subscriber.objects.get()
    assert {row.state for row in subscriber.subscriptions.all()} == {"pending"}
    assert Follow.objects.count() == 0
    assert subscriber.health_consent_id is None
    sign_up = SignUp.objects.get()
    assert set(sign_up.newsletters.all()) == {catalogue.living_well, catalogue.digest}
    assert list(sign_up.conditions.all()) == [catalogue.disk]


def test_choosing_a_condition_chooses_the_digest(ask: Asking, catalogue: Catalogue) -> None:
    ask(newsletters=[])
    assert [row.newsletter for row in Subscription.objects.all()] == [catalogue.digest]


@pytest.mark.parametrize("lacking", [Purpose.MAIL, Purpose.HEALTH])
def test_nothing_is_kept_without_the_consent_it_needs(
    ask: Asking, catalogue: Catalogue, lacking: ConsentText.Purpose
) -> None:
    texts = [text for purpose, text in current_texts("en").items() if purpose != lacking]
    with pytest.raises(subscribe.ConsentMissing):
        ask(consent_texts=texts)
    assert not Subscriber.objects.exists()
    assert not SystemMail.objects.exists()
    assert not ConsentEntry.objects.exists()


def test_a_sensitive_newsletter_needs_the_consent_for_health(
    ask: Asking, catalogue: Catalogue
) -> None:
    sensitive = make_newsletter("hiv-news", sensitive=True)
    mail_only = [current_texts("en")[Purpose.MAIL]]
    with pytest.raises(subscribe.ConsentMissing):
        ask(newsletters=[sensitive], conditions=[], consent_texts=mail_only)
    assert ask(newsletters=[catalogue.living_well], conditions=[], consent_texts=mail_only)


def test_nothing_chosen_is_refused(ask: Asking) -> None:
    with pytest.raises(subscribe.NothingChosen):
        ask(newsletters=[], conditions=[])
    assert not Subscriber.objects.exists()


def test_a_condition_without_a_digest_is_refused(ask: Asking, catalogue: Catalogue) -> None:
    Newsletter.objects.filter(pk=catalogue.digest.pk).update(open_for_signup=False)
    with pytest.raises(subscribe.NothingChosen):
        ask(newsletters=[catalogue.living_well])
    assert not Subscriber.objects.exists()


def test_an_address_gets_one_confirmation_a_day(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert ask()
        assert ask("ADA@Example.org") is None
        clock.shift(timedelta(hours=23))
        assert ask() is None
        clock.shift(timedelta(hours=2))
        assert ask()
    assert SystemMail.objects.count() == 2


def test_a_flood_for_one_address_is_kept_out_of_the_rows_too(ask: Asking) -> None:
    for _ in range(keeping.SIGN_UPS_A_DAY + 5):
        ask()
    assert SignUp.objects.count() == keeping.SIGN_UPS_A_DAY
    assert SystemMail.objects.count() == 1


def test_asking_again_changes_nothing_for_a_live_reader(
    reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    before = list(Subscription.objects.order_by("pk").values())
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail = ask(conditions=[catalogue.asthma], cadence=Subscription.Cadence.DAILY)
    assert mail is not None
    assert mail.kind == SystemMail.Kind.ADD
    assert list(Subscription.objects.order_by("pk").values()) == before
    assert [row.condition for row in Follow.objects.all()] == [catalogue.disk]


def test_asking_again_does_not_revive_who_has_left(
    reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    subscription = Subscription.objects.get(subscriber=reader, newsletter=catalogue.living_well)
    end(subscription)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        ask()
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.ENDED
    assert Subscription.objects.count() == 2


def test_confirming_anew_brings_a_reader_back(
    reader: Subscriber, ask: Asking, catalogue: Catalogue
) -> None:
    subscription = Subscription.objects.get(subscriber=reader, newsletter=catalogue.living_well)
    end(subscription)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        mail = ask()
        assert mail is not None and mail.sign_up is not None
        confirm(sign_up=mail.sign_up)
    subscription.refresh_from_db()
    assert subscription.state == Subscription.State.LIVE
    assert subscription.consent is not None
    assert subscription.ended_reason == ""


def test_a_link_asked_for_before_leaving_revives_nothing(
    ask: Asking, reader: Subscriber, catalogue: Catalogue
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2)) as clock:
        old = ask(newsletters=[catalogue.living_well], conditions=[])
        assert old is not None and old.sign_up is not None
        clock.shift(timedelta(minutes=5))
        for subscription in Subscription.objects.filter(subscriber=reader):
            end(subscription)
        clock.shift(timedelta(minutes=5))
        with pytest.raises(Superseded):
            confirm(sign_up=old.sign_up)
    assert not Subscription.objects.live().exists()
    assert not SignUp.objects.filter(pk=old.sign_up_id, confirmed_at__isnull=False).exists()


def test_a_suppressed_address_gets_one_confirmation_in_thirty_days(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        suppress(
            address_key="ada@example.org",
            reason=Suppression.Reason.COMPLAINT,
            source="test",
        )
        clock.shift(timedelta(hours=1))
        assert ask()
        for _ in range(14):
            clock.shift(timedelta(days=2))
            assert ask() is None
        assert is_suppressed("ada@example.org")
        clock.shift(timedelta(days=3))
        assert ask()


def test_erasing_or_complaining_does_not_open_a_second_confirmation(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert ask()
        suppress(
            subscriber=Subscriber.objects.get(),
            reason=Suppression.Reason.COMPLAINT,
            source="test",
        )
        clock.shift(timedelta(days=2))
        assert ask() is None


def test_the_readers_own_confirming_lifts_a_suppression_and_says_so(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        suppress(address_key="ada@example.org", reason=Suppression.Reason.COMPLAINT, source="test")
        clock.shift(timedelta(hours=1))
        mail = ask()
        assert mail is not None and mail.sign_up is not None
        assert is_suppressed("ada@example.org")
        confirm(sign_up=mail.sign_up)
    assert not is_suppressed("ada@example.org")
    assert ConsentEntry.objects.filter(evidence__contains="lifted: complaint").exists()


def test_a_complaint_after_asking_stands(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        mail = ask()
        assert mail is not None and mail.sign_up is not None
        clock.shift(timedelta(hours=1))
        suppress(address_key="ada@example.org", reason=Suppression.Reason.COMPLAINT, source="test")
        clock.shift(timedelta(hours=1))
        with pytest.raises(Superseded):
            confirm(sign_up=mail.sign_up)
    assert is_suppressed("ada@example.org")
    assert not Subscription.objects.live().exists()


def test_a_bounce_after_asking_does_not_keep_out_who_pressed_the_button(ask: Asking) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        mail = ask()
        assert mail is not None and mail.sign_up is not None
        clock.shift(timedelta(hours=1))
        suppress(
            address_key="ada@example.org", reason=Suppression.Reason.HARD_BOUNCE, source="test"
        )
        # The bounce ended what was pending; the button is pressed on a fresh link.
        clock.shift(timedelta(hours=1))
        confirm(sign_up=mail.sign_up, asked_at=timezone.now())
    assert Subscription.objects.live().count() == 2


def test_a_suppression_counts_under_every_listed_key(settings: Any, ask: Asking) -> None:
    suppress(address_key="ada@example.org", reason=Suppression.Reason.REQUEST, source="test")
    old = settings.SUPPRESSION_KEYS
    settings.SUPPRESSION_KEYS = ((2, b"n" * 32), *old)
    assert is_suppressed(normalise("Ada@example.org").key)
    mail = ask()
    assert mail is not None and mail.sign_up is not None
    confirm(sign_up=mail.sign_up)
    assert not Suppression.objects.exists()


def test_a_stronger_reason_replaces_a_weaker_one_only(db: None) -> None:
    key = "ada@example.org"
    suppress(address_key=key, reason=Suppression.Reason.COMPLAINT, source="a")
    suppress(address_key=key, reason=Suppression.Reason.HARD_BOUNCE, source="b")
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINT
    suppress(address_key=key, reason=Suppression.Reason.ERASURE, source="c")
    assert Suppression.objects.get().reason == Suppression.Reason.ERASURE


def test_suppressing_ends_what_the_reader_gets(reader: Subscriber) -> None:
    suppress(subscriber=reader, reason=Suppression.Reason.COMPLAINT, source="feedback loop")
    states = Subscription.objects.values_list("state", "ended_reason").distinct()
    assert list(states) == [("ended", "complained")]
    assert ConsentEntry.objects.filter(action="withdrawn", method="complaint").count() == 2
    reader.refresh_from_db()
    assert Suppression.objects.get().address_hash == reader.address_hash
