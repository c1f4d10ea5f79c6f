"""A country changes its clocks by law while digests are due: one may be off, none is lost."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from newsletter.sending import digest_marks, digest_slice, due_times
from newsletter.sending.digest_run import run_due
from newsletter.sending.due_times import Rhythm
from newsletter.sending.models import Delivery, DigestMark
from tests.digests import factories
from tests.digests.factories import reader, released, utc

pytestmark = pytest.mark.django_db

MONDAY = utc(2026, 11, 23, 8)
WEEK = timedelta(days=7)


def by_the_law_of(monkeypatch, hours: int) -> None:
    """The time zone database says from now on that this country is so many hours ahead."""
    clock = timezone(timedelta(hours=hours))

    def next_due(rhythm: Rhythm, after: datetime) -> datetime:
        ahead = due_times.next_due(rhythm._replace(timezone="UTC"), after + clock.utcoffset(None))
        return (ahead - clock.utcoffset(None)).astimezone(UTC)

    for module in (digest_marks, digest_slice):
        monkeypatch.setattr(module, "next_due", next_due)


@pytest.mark.parametrize("hours", [-1, 1], ids=["later by our clock", "earlier by our clock"])
def test_one_digest_may_be_off_by_the_change_and_the_next_is_right(monkeypatch, hours):
    back = factories.ConditionFactory()
    by_the_law_of(monkeypatch, 0)
    with time_machine.travel(MONDAY - timedelta(hours=20), tick=False):
        subscription = reader(factories.DigestNewsletterFactory(), back, hour=8)
        released(back)
        run_due(MONDAY - timedelta(hours=20))
    mark = DigestMark.objects.get(subscription=subscription)
    assert mark.next_due_at == MONDAY

    by_the_law_of(monkeypatch, hours)
    for week in range(4):
        with time_machine.travel(MONDAY + week * WEEK - timedelta(hours=12), tick=False):
            released(back)
        # A tick in every hour around it.
        for hour in range(-3, 4):
            at = MONDAY + week * WEEK + timedelta(hours=hour)
            with time_machine.travel(at, tick=False):
                run_due(at)

    due = [
        at - MONDAY
        for at in Delivery.objects.order_by("pk").values_list("mailing__dated", flat=True)[1:]
    ]
    gone = timedelta(hours=hours)
    # As it was reckoned before, and from then on at the reader's eight o'clock. A clock put back
    # strikes that eight o'clock again, an hour later: there is nothing new, so nothing comes.
    assert due == [timedelta(0), *(week * WEEK - gone for week in range(1, 4))]
    shown = [
        article
        for articles in Delivery.objects.values_list("article_ids", flat=True)
        for article in articles
    ]
    assert len(shown) == len(set(shown)) == 5
