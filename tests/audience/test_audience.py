"""Who may receive, asked in the three ways: for planning, before a chunk, and by staff."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.audience.eligibility import check
from newsletter.audience.explain import why
from newsletter.audience.reasons import Reason
from newsletter.audience.recipients import recipients
from newsletter.catalogue.models import Newsletter
from newsletter.management import test_mailing
from project.keys import parse_keys
from signup.models import ConsentEntry, Subscriber, Subscription, Suppression
from signup.suppress import suppress
from signup.unsubscribe import end

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter() -> Newsletter:
    made = test_mailing.make_newsletter()
    test_mailing.make_readers(made, 2)
    return made


@pytest.fixture
def subscription(newsletter) -> Subscription:
    return Subscription.objects.order_by("pk")[0]


def verdict(subscription: Subscription) -> Reason | None:
    subscription.newsletter.refresh_from_db()
    return check(newsletter=subscription.newsletter, subscriber_ids=[subscription.subscriber_id])[
        subscription.subscriber_id
    ]


def is_planned(subscription: Subscription) -> bool:
    subscription.newsletter.refresh_from_db()
    return recipients(subscription.newsletter).filter(pk=subscription.pk).exists()


def explained(subscription: Subscription) -> str:
    subscriber = Subscriber.objects.get(pk=subscription.subscriber_id)
    return why(newsletter=subscription.newsletter, subscriber=subscriber)


def leave(subscription: Subscription) -> None:
    end(
        subscription=subscription,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )


def complain(subscription: Subscription) -> None:
    suppress(subscriber=subscription.subscriber, reason=Suppression.Reason.COMPLAINT, source="test")
    # What suppressing does to the subscription itself is told apart in its own tests.
    Subscription.objects.filter(pk=subscription.pk).update(
        state=Subscription.State.LIVE,
        ended_reason="",
        consent=ConsentEntry.objects.order_by("pk")[0],
    )


def pause(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        paused_until=timezone.now() + timedelta(days=3)
    )


def never_confirmed(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        state=Subscription.State.PENDING, consent=None
    )


def be_erased(subscription: Subscription) -> None:
    Subscriber.objects.filter(pk=subscription.subscriber_id).update(
        email=None, email_key=None, first_name="", erased_at=timezone.now()
    )


def follow_without_health_consent(subscription: Subscription) -> None:
    Newsletter.objects.filter(pk=subscription.newsletter_id).update(kind=Newsletter.Kind.DIGEST)


def test_a_live_subscription_with_consent_receives(subscription):
    assert verdict(subscription) is None
    assert is_planned(subscription)
    assert explained(subscription).startswith("Receives")


@pytest.mark.parametrize(
    ("what", "reason", "words"),
    [
        (leave, Reason.NOT_LIVE, "ended"),
        (complain, Reason.SUPPRESSED, "must not be mailed"),
        (pause, Reason.PAUSED, "paused until"),
        (never_confirmed, Reason.NOT_LIVE, "never confirmed"),
        (be_erased, Reason.ERASED, "erased"),
        (follow_without_health_consent, Reason.NO_CONSENT, "consent"),
    ],
)
def test_who_may_not_be_mailed_is_neither_planned_nor_sent_to_and_staff_learn_why(
    subscription, what, reason, words
):
    """Invariant 1, at each of the places that ask."""
    what(subscription)

    assert verdict(subscription) is reason
    assert not is_planned(subscription)
    text = explained(subscription)
    assert text.startswith("Does not receive")
    assert words in text
    assert "@" not in text


def test_a_reader_without_any_subscription_gets_nothing(newsletter, subscription):
    stranger = Subscriber.objects.create(email="x@example.org", email_key="x@example.org")

    assert check(newsletter=newsletter, subscriber_ids=[stranger.pk]) == {
        stranger.pk: Reason.NOT_LIVE
    }
    assert check(newsletter=newsletter, subscriber_ids=[10**9]) == {10**9: Reason.NOT_LIVE}
    assert "no subscription" in why(newsletter=newsletter, subscriber=stranger)


def test_a_subscription_to_another_newsletter_does_not_count(subscription):
    other = Newsletter.objects.create(
        name="Other", slug="other", promise="…", from_name="O", from_email="o@wellread.example",
        list_id_label="other",
    )  # fmt: skip

    found = check(newsletter=other, subscriber_ids=[subscription.subscriber_id])

    assert found == {subscription.subscriber_id: Reason.NOT_LIVE}
    assert not recipients(other).exists()


def test_a_pause_that_is_over_holds_nobody_back(subscription):
    Subscription.objects.filter(pk=subscription.pk).update(
        paused_until=timezone.now() - timedelta(minutes=1)
    )
    assert verdict(subscription) is None
    assert is_planned(subscription)


@pytest.mark.parametrize("suppressed_under", ["old", "new"])
def test_a_new_suppression_key_lifts_no_suppression(subscription, settings, suppressed_under):
    """Every version that is listed is checked, whichever one the row was written under."""
    old = settings.SUPPRESSION_KEYS
    new = parse_keys("SUPPRESSION_KEYS", "2:" + "44" * 32 + ",1:" + "33" * 32)
    settings.SUPPRESSION_KEYS = old if suppressed_under == "old" else new
    complain(subscription)
    settings.SUPPRESSION_KEYS = new

    assert verdict(subscription) is Reason.SUPPRESSED


def test_a_chunk_costs_two_statements_whatever_its_size(newsletter, django_assert_num_queries):
    test_mailing.make_readers(newsletter, 60)
    ids = list(Subscriber.objects.values_list("pk", flat=True))

    with django_assert_num_queries(2):
        verdicts = check(newsletter=newsletter, subscriber_ids=ids)

    assert len(verdicts) == 60


def test_nobody_to_check_is_nobody(newsletter):
    assert check(newsletter=newsletter, subscriber_ids=[]) == {}
