"""What we do about what the world said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.outcomes.models import Event
from newsletter.outcomes.reactions import HARD, is_soft, react
from newsletter.sending.models import Delivery, Mailing
from signup.models import Subscription, Suppression
from signup.suppress import is_suppressed
from tests.outcomes.factories import editorial, live_reader, mailing_with, told

pytestmark = pytest.mark.django_db


def states(*subscriptions):
    return [
        Subscription.objects.values_list("state", "ended_reason").get(pk=one.pk)
        for one in subscriptions
    ]


def untouched(subscription) -> bool:
    return states(subscription) == [("live", "")] and not Suppression.objects.exists()


@pytest.mark.parametrize("status", sorted(HARD))
def test_an_address_that_does_not_work_is_not_mailed_again(status):
    subscription = live_reader()
    other = editorial(subscription)
    told(subscription, "bounced", status)
    assert react() == 1
    assert states(subscription, other) == [("ended", "bounced")] * 2
    assert is_suppressed(subscription.subscriber.email_key)


def test_a_complaint_ends_everything():
    subscription = live_reader()
    other = editorial(subscription)
    told(subscription, "complained")
    react()
    assert states(subscription, other) == [("ended", "complained")] * 2
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINT


@pytest.mark.parametrize(
    ("accepted", "readers", "kind", "state"),
    [
        (1999, 5, "issue", "paused"),
        (2000, 5, "issue", "sending"),
        (100, 4, "issue", "sending"),
        (1999, 5, "alert", "sending"),
    ],
)
def test_a_mailing_that_many_call_spam_is_stopped(accepted, readers, kind, state):
    """Standards D3. Providers take a week to forget; a safety alert is worth more than that."""
    subscriptions = [live_reader() for _ in range(readers)]
    mailing = mailing_with(subscriptions[0], state="accepted").mailing
    mailing.batches.update(planned=accepted, accepted=accepted)
    Mailing.objects.filter(pk=mailing.pk).update(state="sending", kind=kind)
    for subscription in [*subscriptions, subscriptions[0]]:
        told(subscription, "complained", mailing_id=mailing.pk)
    react()
    mailing.refresh_from_db()
    assert mailing.state == state
    assert ("called it spam" in mailing.trouble) is (state == "paused")


@pytest.mark.parametrize("status", ["5.7.1", "5.7.26", "5.7.515", "5.1.8", "5.3.4"])
def test_what_is_our_own_fault_is_never_held_against_a_reader(status):
    subscription = live_reader()
    for day in range(30):
        told(subscription, "bounced", status, at=timezone.now() - timedelta(days=day))
    react()
    assert untouched(subscription)


@pytest.mark.parametrize(
    ("days", "status", "given_up"),
    [
        ([0, 4, 8, 12, 14], "5.2.2", True),
        ([0, 4, 8, 12, 14], "4.2.2", True),
        ([0, 1, 2, 3, 13], "5.2.2", False),
        ([0, 7, 14, 21], "5.2.2", False),
        ([0, 0, 0, 0, 0, 0, 0], "4.4.1", False),
    ],
)
def test_a_full_mailbox_gets_five_tries_over_two_weeks(days, status, given_up):
    subscription = live_reader()
    begin = timezone.now() - timedelta(days=60)
    for day in days:
        told(subscription, "bounced", status, at=begin + timedelta(days=day))
    react()
    assert (states(subscription) == [("ended", "bounced")]) is given_up
    assert Suppression.objects.exists() is given_up


def test_something_that_arrives_starts_the_count_anew():
    subscription = live_reader()
    begin = timezone.now() - timedelta(days=60)
    for day in (0, 5, 10, 15):
        told(subscription, "bounced", "5.2.2", at=begin + timedelta(days=day))
    told(subscription, "delivered", at=begin + timedelta(days=16))
    told(subscription, "bounced", "5.2.2", at=begin + timedelta(days=20))
    react()
    assert untouched(subscription)


def taken(subscription, days_ago: int):
    """A copy that a relay took so long ago, and what it was of."""
    at = timezone.now() - timedelta(days=days_ago)
    copy = mailing_with(subscription, state="accepted")
    Mailing.objects.filter(pk=copy.mailing_id).update(dated=at)
    Delivery.objects.filter(pk=copy.pk).update(outcome_at=at)
    return copy


def came_back(subscription, days_ago: int, status: str = "5.2.2"):
    copy = taken(subscription, days_ago)
    at = timezone.now() - timedelta(days=days_ago)
    return told(subscription, "bounced", status, at=at, mailing_id=copy.mailing_id)


def test_failures_with_mail_that_stayed_between_them_are_not_one_long_failure():
    """SMTP never says "delivered": a full mailbox twice a year would end a subscription."""
    subscription = live_reader()
    for days_ago in (400, 300, 200, 100, 10):
        taken(subscription, days_ago + 30)
        came_back(subscription, days_ago)
    react()
    assert untouched(subscription)


@pytest.mark.parametrize(
    "between",
    [
        # May still come back: servers try for days (RFC 5321 section 4.5.4.1).
        lambda subscription: taken(subscription, 2),
        lambda subscription: came_back(subscription, 25, "5.7.1"),
        lambda subscription: taken(live_reader(), 25),
        lambda subscription: mailing_with(subscription, state="unknown"),
    ],
)
def test_only_what_stayed_is_taken_for_arrived(between):
    subscription = live_reader()
    for days_ago in (40, 35, 30, 20, 1):
        came_back(subscription, days_ago)
    between(subscription)
    react()
    assert states(subscription) == [("ended", "bounced")]


def test_a_failure_of_an_unknown_mailing_might_be_of_any_copy():
    """Then nobody can say which ones stayed."""
    subscription = live_reader()
    taken(subscription, 25)
    told(subscription, "bounced", "5.2.2", at=timezone.now() - timedelta(days=30))
    for days_ago in (40, 35, 20, 1):
        came_back(subscription, days_ago)
    react()
    assert states(subscription) == [("ended", "bounced")]


@pytest.mark.parametrize("kind", ["deferred", "delivered", "clicked"])
def test_nothing_is_concluded_from_other_events(kind):
    subscription = live_reader()
    for day in range(30):
        told(subscription, kind, "4.4.1", at=timezone.now() - timedelta(days=day))
    react()
    assert untouched(subscription)


def test_unsubscribing_at_the_provider_ends_what_the_mail_was_of():
    subscription = live_reader()
    other = editorial(subscription)
    delivery = mailing_with(subscription, state="accepted")
    told(subscription, "unsubscribed", mailing_id=delivery.mailing_id)
    react()
    assert states(subscription, other) == [("ended", "one_click"), ("live", "")]


def test_unsubscribing_at_the_provider_from_who_knows_what_ends_everything():
    subscription = live_reader()
    other = editorial(subscription)
    told(subscription, "unsubscribed")
    react()
    assert [state for state, _ in states(subscription, other)] == ["ended", "ended"]
    assert not Suppression.objects.exists()


def test_an_event_is_acted_on_once():
    subscription = live_reader()
    told(subscription, "complained")
    assert [react(), react()] == [1, 0]


def test_an_event_about_nobody_we_know_is_kept_and_changes_nothing():
    subscription = live_reader()
    event = told(subscription, "bounced", "5.1.1")
    Event.objects.all().forget(subscription.subscriber)
    react()
    assert untouched(subscription)
    event.refresh_from_db()
    assert event.reacted_at is not None


def test_a_refusal_at_the_relays_door_leads_to_the_same_as_a_bounce():
    subscription = live_reader()
    delivery = mailing_with(subscription, state="refused", reply="550 5.1.1 no such user")
    react()
    assert react() == 0
    event = Event.objects.get()
    assert (event.source, event.source_id, event.status, event.mailing_id) == (
        "smtp",
        str(delivery.pk),
        "5.1.1",
        delivery.mailing_id,
    )
    assert states(subscription) == [("ended", "bounced")]


@pytest.mark.parametrize(
    "reply", ["550 5.7.1 blocked", "550 mailbox unavailable", "not sent: unsafe", "452 4.2.2 full"]
)
def test_a_refusal_that_does_not_prove_a_dead_address_does_not_end_it_at_once(reply):
    subscription = live_reader()
    mailing_with(subscription, state="refused", reply=reply)
    react()
    assert untouched(subscription)
    assert Event.objects.count() == 1


def test_accepted_and_skipped_deliveries_are_no_bounces():
    subscription = live_reader()
    for state in ("accepted", "skipped", "unknown", "queued"):
        mailing_with(subscription, state=state)
    react()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("status", "soft"),
    [("4.4.1", True), ("5.2.2", True), ("5.0.0", True), ("5.7.1", False), ("", False)],
)
def test_what_counts_as_soft(status, soft):
    assert is_soft(status) is soft


def test_one_event_that_fails_does_not_keep_the_others_waiting(monkeypatch, caplog):
    from django.db import DatabaseError

    from newsletter.outcomes import reactions

    first, second = live_reader(), live_reader()
    broken = told(first, "complained")
    told(second, "complained")
    real = reactions._react_to

    def fail(event):
        if event.pk == broken.pk:
            raise DatabaseError
        real(event)

    with monkeypatch.context() as patched:
        patched.setattr(reactions, "_react_to", fail)
        assert react() == 1
    assert states(first, second) == [("live", ""), ("ended", "complained")]
    assert react() == 1
    assert states(first) == [("ended", "complained")]
