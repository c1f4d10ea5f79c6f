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


def in_sql(newsletter: Newsletter, *, through_pauses: bool = False) -> dict[int, str | None]:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    said_of = verdict(newsletter, through_pauses=through_pauses)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT reader.id, {said_of}, reader.address_hash"
            " FROM signup_subscriber reader LEFT JOIN signup_subscription sub"
            " ON sub.subscriber_id = reader.id AND sub.newsletter_id = %s",
            [now, newsletter.pk],
        )
        found = cursor.fetchall()
    older = older_keys_bar(
        newsletter,
        [(pk, hashed) for pk, said, hashed in found if not said],
        through_pauses=through_pauses,
    )
    return {pk: said or older.get(pk) for pk, said, _ in found}


@pytest.mark.parametrize("through_pauses", [False, True])
@pytest.mark.parametrize("digest", [False, True])
def test_both_say_the_same_of_every_kind_of_reader(digest, through_pauses):
    newsletter = test_mailing.make_newsletter()
    if digest:
        Newsletter.objects.filter(pk=newsletter.pk).update(kind=Newsletter.Kind.DIGEST)
        newsletter.refresh_from_db()
    kinds = list(product(["live", "ended"], [None, -1, 1], *[[False, True]] * 4))
    test_mailing.make_readers(newsletter, len(kinds) + 1)
    rows = Subscription.objects.filter(newsletter=newsletter).order_by("pk")
    for row, (state, paused, barred, health, untold, alerts) in zip(rows, kinds, strict=False):
        if health:
            Subscriber.objects.filter(pk=row.subscriber_id).update(health_consent=row.consent)
        Subscriber.objects.filter(pk=row.subscriber_id).update(alerts_while_paused=alerts)
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
    said = check(newsletter=newsletter, subscriber_ids=ids, through_pauses=through_pauses)

    assert in_sql(newsletter, through_pauses=through_pauses) == said
    assert "paused" in said.values()
    assert (said != in_sql(newsletter)) is through_pauses
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


def test_an_older_key_bars_nobody_whom_an_alert_reaches_through_a_pause(settings):
    newsletter = test_mailing.make_newsletter()
    test_mailing.make_readers(newsletter, 2)
    settings.SUPPRESSION_KEYS = [(9, b"n" * 32), *settings.SUPPRESSION_KEYS]
    first, second = Subscriber.objects.order_by("pk")
    Subscriber.objects.filter(pk=first.pk).update(alerts_while_paused=True)
    Subscription.objects.update(paused_until=timezone.now() + timedelta(days=3))

    found = in_sql(newsletter, through_pauses=True)
    assert (found[first.pk], found[second.pk]) == (None, "paused")
