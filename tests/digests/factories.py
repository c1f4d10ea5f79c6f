"""Rows that the digest tests need, and no more."""

import itertools
from datetime import UTC, datetime
from hashlib import sha256

import factory
from django.db import transaction
from django.utils import timezone

from newsletter.approval.models import Approval, Frozen
from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
from newsletter.desk.models import User
from newsletter.editions.models import Article, Release
from newsletter.wire.message import FORMAT_VERSION
from signup import consent
from signup.models import (
    ConsentEntry,
    ConsentText,
    Follow,
    Subscriber,
    Subscription,
)

_places = itertools.count(1)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"staff{n}")


class ConditionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Condition

    name = factory.Sequence(lambda n: f"Condition {n}")
    slug = factory.Sequence(lambda n: f"condition-{n}")
    group = "Back and joints"
    summary = "What it is."
    emergency_signs = "Sudden weakness"


class DigestNewsletterFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Newsletter

    name = "My conditions"
    slug = factory.Sequence(lambda n: f"my-conditions-{n}")
    kind = Newsletter.Kind.DIGEST
    promise = "What is new on the conditions you follow."
    from_name = "Wellread"
    from_email = "hello@wellread.example"
    list_id_label = factory.Sequence(lambda n: f"digest-{n}")
    postal_address = "1 Harbour Street, Example Town"
    sensitive = True


class ArticleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Article
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Article {n}")
    slug = factory.Sequence(lambda n: f"article-{n}")
    summary = "In short."
    body = factory.LazyFunction(lambda: [("rich_text", "<p>Text.</p>")])
    author_name = "A. Author"
    author_credentials = "Physiotherapist"
    live = True

    @factory.post_generation
    def conditions(self, create, conditions):
        if create and conditions:
            self.conditions.set(conditions)
            self.save()


def consent_entry(
    subscriber: Subscriber, purpose: str, newsletter: Newsletter | None = None
) -> ConsentEntry:
    with transaction.atomic():
        return consent.record(
            subscriber=subscriber,
            action=ConsentEntry.Action.CONFIRMED,
            purpose=ConsentText.Purpose(purpose),
            method=ConsentEntry.Method.CONFIRMATION,
            newsletter=newsletter,
        )


def reader(
    newsletter: Newsletter,
    *conditions: Condition,
    cadence: str = "weekly",
    weekday: int = 0,
    hour: int = 8,
    zone: str = "UTC",
    health: bool = True,
    live_at: datetime | None = None,
) -> Subscription:
    """A live digest reader who follows these conditions from now on."""
    number = next(_places)
    subscriber = Subscriber.objects.create(
        email=f"reader{number}@example.org",
        email_key=f"reader{number}@example.org",
        timezone=zone,
    )
    if health:
        subscriber.health_consent = consent_entry(subscriber, ConsentText.Purpose.HEALTH)
        subscriber.save()
    for condition in conditions:
        follow(subscriber, condition)
    return Subscription.objects.create(
        subscriber=subscriber,
        newsletter=newsletter,
        state=Subscription.State.LIVE,
        consent=consent_entry(subscriber, ConsentText.Purpose.MAIL, newsletter),
        cadence=cadence,
        weekday=weekday,
        hour=hour,
        live_at=live_at or timezone.now(),
    )


def follow(subscriber: Subscriber, condition: Condition) -> Follow:
    return Follow.objects.create(
        subscriber=subscriber, condition=condition, from_seq=ReleaseCounter.current()
    )


def released(*conditions: Condition, weight: int = 0, at: datetime | None = None) -> Article:
    """A live article in the digests. What releasing asks for is tested in tests/approval."""
    article = ArticleFactory(conditions=conditions, weight=weight)
    release_row(article, at=at)
    return article


def release_row(article: Article, at: datetime | None = None) -> Release:
    counter, _ = ReleaseCounter.objects.get_or_create(pk=ReleaseCounter.ONLY_ROW)
    counter.value += 1
    counter.save()
    by = User.objects.first() or UserFactory()
    row = Release.objects.create(article=article, seq=counter.value, released_by=by)
    if at is not None:
        Release.objects.filter(pk=row.pk).update(released_at=at)
    return row


def approved(article: Article, html: str = "<p>fragment</p>", text: str = "fragment") -> Approval:
    """An approval with frozen fragments, as sign_off would leave it."""
    approval = Approval.objects.create(
        article=article,
        revision=article.save_revision(),
        content_hash=b"\1" * 32,
        approved_by=User.objects.first() or UserFactory(),
    )
    for form, content in (
        (Frozen.Form.HTML_FRAGMENT, html),
        (Frozen.Form.TEXT_FRAGMENT, text),
    ):
        Frozen.objects.create(
            approval=approval,
            language=article.language,
            form=form,
            format_version=FORMAT_VERSION,
            content=content.encode(),
            content_hash=sha256(content.encode()).digest(),
        )
    return approval


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)
