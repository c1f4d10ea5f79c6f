"""Rows that the outcome tests need."""

from datetime import datetime

from django.utils import timezone

from newsletter.catalogue.models import Newsletter
from newsletter.outcomes.models import Event
from newsletter.outcomes.record import record_event
from newsletter.sending.models import Batch, Delivery, Edition, Mailing
from signup.models import Subscription
from tests.digests import factories


def mailing_with(subscription: Subscription, *, state: str, reply: str = "") -> Delivery:
    """One delivery of a running mailing, in this state, with its counts."""
    now = timezone.now()
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.DIGEST,
        newsletter=subscription.newsletter,
        purpose=f"test {Mailing.objects.count()}",
        state=Mailing.State.SENDING,
        dated=now,
        started_at=now,
    )
    edition = Edition.objects.create(mailing=mailing, language="en")
    counts = {state: 1} if state in ("accepted", "refused", "skipped", "unknown") else {}
    batch = Batch.objects.create(mailing=mailing, planned=1, **counts)
    return Delivery.objects.create(
        mailing=mailing,
        batch=batch,
        edition=edition,
        subscriber=subscription.subscriber,
        place=0,
        state=state,
        reply=reply,
        outcome_at=now,
    )


def live_reader() -> Subscription:
    return factories.reader(factories.DigestNewsletterFactory())


def editorial(subscription: Subscription) -> Subscription:
    """A second, editorial subscription of the same reader."""
    newsletter = factories.DigestNewsletterFactory(kind=Newsletter.Kind.EDITORIAL)
    return Subscription.objects.create(
        subscriber=subscription.subscriber,
        newsletter=newsletter,
        state=Subscription.State.LIVE,
        consent=subscription.consent,
        live_at=timezone.now(),
    )


def told(
    subscription: Subscription,
    kind: str,
    status: str = "",
    at: datetime | None = None,
    **more: object,
) -> Event:
    event = record_event(
        kind=Event.Kind(kind),
        source="test",
        source_id=f"{Event.objects.count()}",
        at=at or timezone.now(),
        subscriber_id=subscription.subscriber_id,
        status=status,
        **more,
    )
    assert event is not None
    return event
