"""The rule of the last look is written twice: here the two are held to each other."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection
from django.utils import timezone

from newsletter.audience.eligibility import check
from newsletter.audience.in_sql import older_keys_bar, verdict
from newsletter.catalogue.models import Newsletter
from newsletter.management import test_mailing
from signup.address import hash_address
from signup.models import Subscriber, Subscription, Suppression

pytestmark = pytest.mark.django_db


def in_sql(newsletter: Newsletter) -> dict[int, str | None]:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reader.id, {verdict(newsletter)}, reader.address_hash"
            " FROM signup_subscriber reader LEFT JOIN signup_subscription sub"
            " ON sub.subscriber_id = reader.id AND sub.newsletter_id = %s",
            [now, newsletter.pk],
        )
        found = cursor.fetchall()
    older = older_keys_bar(newsletter, [(pk, hashed) for pk, said, hashed in found if not said])
    return {pk: said or older.get(pk) for pk, said, _ in found}


@pytest.mark.parametrize("digest", [False, True])
def test_both_say_the_same_of_every_kind_of_reader(digest):
    newsletter = test_mailing.make_newsletter()
    if digest:
        Newsletter.objects.filter(pk=newsletter.pk).update(kind=Newsletter.Kind.DIGEST)
        newsletter.refresh_from_db()
    kinds = list(product(["live", "ended"], [None, -1, 1], *[[False, True]] * 3))
    test_mailing.make_readers(newsletter, len(kinds) + 1)
    rows = Subscription.objects.filter(newsletter=newsletter).order_by("pk")
    for row, (state, paused, barred, health, untold) in zip(rows, kinds, strict=False):
        if health:
            Subscriber.objects.filter(pk=row.subscriber_id).update(health_consent=row.consent)
        ended = {"ended_at": timezone.now(), "ended_reason": "unsubscribed", "consent": None}
        Subscription.objects.filter(pk=row.pk).update(
            state=state,
            paused_until=timezone.now() + timedelta(days=paused) if paused else None,
            awaits_note=untold,
            **(ended if state == "ended" else {}),
        )
        if barred:
            Suppression.objects.create(
                address_hash=row.subscriber.address_hash, reason="complaint", source="test"
            )
    rows.last().delete()

    ids = list(Subscriber.objects.values_list("pk", flat=True))
    said = check(newsletter=newsletter, subscriber_ids=ids)

    assert in_sql(newsletter) == said
    assert len(set(said.values())) == (6 if digest else 5)


def test_a_suppression_under_an_older_key_is_seen(settings):
    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, 2)
    one = Subscriber.objects.order_by("pk")[0]
    Suppression.objects.create(address_hash=hash_address(one.email_key), reason="complaint")
    settings.SUPPRESSION_KEYS = [(9, b"n" * 32), *settings.SUPPRESSION_KEYS]
    # Hashed anew under the newest, as signing up does.
    Subscriber.objects.filter(pk=one.pk).update(address_hash=hash_address(one.email_key))

    ids = list(Subscriber.objects.values_list("pk", flat=True))
    assert in_sql(newsletter) == check(newsletter=newsletter, subscriber_ids=ids)
    assert in_sql(newsletter)[one.pk] == "suppressed"
