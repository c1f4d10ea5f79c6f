"""A digest run: one mail per reader, each article once, nothing when nothing is new."""

from datetime import timedelta

import pytest
import time_machine

from newsletter.editions.models import Release
from newsletter.sending import digest_run, digest_slice
from newsletter.sending.digest_marks import time_anew
from newsletter.sending.models import Batch, Delivery, DigestMark, Mailing
from signup.models import Follow, Subscription
from tests.digests import factories
from tests.digests.factories import follow, reader, released, utc

pytestmark = pytest.mark.django_db

SUNDAY = utc(2026, 11, 22, 12)
MONDAY = utc(2026, 11, 23, 8)
NEXT_MONDAY = utc(2026, 11, 30, 8)


@pytest.fixture
def newsletter():
    return factories.DigestNewsletterFactory()


@pytest.fixture
def back():
    return factories.ConditionFactory(name="Herniated disk", weight=10)


@pytest.fixture
def migraine():
    return factories.ConditionFactory(name="Migraine")


@pytest.fixture(autouse=True)
def sunday():
    with time_machine.travel(SUNDAY, tick=False):
        yield


def run_due(at, **how):
    with time_machine.travel(at, tick=False):
        return digest_run.run_due(at, **how)


def deliveries(subscription) -> list[list[int]]:
    rows = Delivery.objects.filter(subscriber=subscription.subscriber).order_by("pk")
    return list(rows.values_list("article_ids", flat=True))


def settle(*subscriptions, at=SUNDAY):
    """Get the first digests out of the way."""
    run_due(at)
    DigestMark.objects.filter(first_sent_at=None).update(first_sent_at=at)
    Delivery.objects.all().delete()
    for mark in DigestMark.objects.all():
        assert mark.next_due_at > at


def test_a_new_reader_promptly_gets_the_best_of_each_condition(newsletter, back, migraine):
    plain = released(back)
    best = released(back, weight=5)
    third = released(back, weight=-1)
    head = released(migraine)
    other = released(factories.ConditionFactory())
    subscription = reader(newsletter, back, migraine)

    [run] = run_due(SUNDAY)

    assert (run.due, run.planned, run.complete) == (1, 1, True)
    assert deliveries(subscription) == [[best.pk, head.pk, plain.pk]]
    assert third.pk not in deliveries(subscription)[0]
    assert other.pk not in deliveries(subscription)[0]
    mark = DigestMark.objects.get()
    assert (mark.mark, mark.next_due_at, mark.first_sent_at) == (5, MONDAY, SUNDAY)


def test_a_first_digest_with_nothing_to_show_comes_when_there_is_something(newsletter, back):
    subscription = reader(newsletter, back)
    run_due(SUNDAY)
    assert deliveries(subscription) == []
    assert not Mailing.objects.exists()
    article = released(back)
    run_due(MONDAY)
    assert deliveries(subscription) == [[article.pk]]


def test_one_mail_holds_what_is_new_on_all_conditions_heavier_condition_first(
    newsletter, back, migraine
):
    subscription = reader(newsletter, back, migraine)
    settle(subscription)
    head, disk, both = released(migraine), released(back), released(back, migraine)

    run_due(MONDAY)

    assert deliveries(subscription) == [[both.pk, disk.pk, head.pk]]
    mailing = Mailing.objects.get()
    assert mailing.state == Mailing.State.SENDING
    assert (mailing.kind, mailing.cutoff_seq, mailing.dated) == ("digest", 3, MONDAY)
    delivery = Delivery.objects.get()
    assert (delivery.from_seq, delivery.to_seq, delivery.place) == (0, 3, 0)
    assert Batch.objects.get().planned == 1


def test_nothing_new_sends_nothing_and_the_mark_still_moves(newsletter, back, migraine):
    subscription = reader(newsletter, back)
    settle(subscription)
    released(migraine)

    [run] = run_due(MONDAY)

    assert (run.due, run.planned) == (1, 0)
    assert not Mailing.objects.exists()
    mark = DigestMark.objects.get()
    assert (mark.mark, mark.next_due_at) == (1, NEXT_MONDAY)


def test_an_article_is_not_shown_again_to_who_follows_its_other_condition_later(
    newsletter, back, migraine
):
    subscription = reader(newsletter, back)
    settle(subscription)
    both = released(back, migraine)
    run_due(MONDAY)
    follow(subscription.subscriber, migraine)
    run_due(NEXT_MONDAY)
    assert deliveries(subscription) == [[both.pk]]


def test_following_owes_nothing_released_before(newsletter, back, migraine):
    subscription = reader(newsletter, back)
    settle(subscription)
    released(migraine)
    follow(subscription.subscriber, migraine)
    later = released(migraine)
    run_due(MONDAY)
    assert deliveries(subscription) == [[later.pk]]


def test_a_paused_condition_is_left_out(newsletter, back, migraine):
    subscription = reader(newsletter, back, migraine)
    settle(subscription)
    Follow.objects.filter(condition=migraine).update(paused_at=SUNDAY)
    released(migraine)
    disk = released(back)
    run_due(MONDAY)
    assert deliveries(subscription) == [[disk.pk]]


def test_a_paused_reader_gets_nothing_and_no_flood_on_return(newsletter, back):
    subscription = reader(newsletter, back, cadence="daily")
    settle(subscription)
    until = utc(2026, 11, 27, 20)
    Subscription.objects.update(paused_until=until)
    released(back, at=utc(2026, 11, 23, 7))
    for day in (23, 24, 25, 26, 27):
        run_due(utc(2026, 11, day, 8))
    # Released between the last run of the pause and its end: nothing is owed for that either.
    released(back, at=utc(2026, 11, 27, 19))
    fresh = released(back, at=utc(2026, 11, 27, 21))
    run_due(utc(2026, 11, 28, 8))
    assert deliveries(subscription) == [[fresh.pk]]


def test_without_health_consent_nothing_is_sent(newsletter, back):
    released(back)
    subscription = reader(newsletter, back, health=False)
    run_due(SUNDAY)
    assert deliveries(subscription) == []
    assert DigestMark.objects.get().first_sent_at is None


def test_an_ended_subscription_gets_nothing_and_is_not_looked_at_again(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    Subscription.objects.update(
        state="ended", ended_reason="unsubscribed", consent=None, ended_at=SUNDAY
    )
    released(back)
    run_due(MONDAY)
    assert deliveries(subscription) == []
    assert DigestMark.objects.get().next_due_at is None


def test_who_comes_back_is_owed_what_came_after_the_return(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    consent = subscription.consent
    Subscription.objects.update(
        state="ended", ended_reason="unsubscribed", consent=None, ended_at=SUNDAY
    )
    released(back, at=SUNDAY + timedelta(hours=1))
    run_due(MONDAY)
    Subscription.objects.update(
        state="live", ended_reason="", consent=consent, live_at=MONDAY + timedelta(days=2)
    )
    run_due(MONDAY + timedelta(days=2))
    new = released(back, at=MONDAY + timedelta(days=3))
    run_due(NEXT_MONDAY)
    assert deliveries(subscription) == [[new.pk]]


def test_a_run_repeated_changes_nothing(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    article = released(back)
    run_due(MONDAY)
    assert run_due(MONDAY) == []
    run_due(MONDAY + timedelta(minutes=1))
    assert deliveries(subscription) == [[article.pk]]


def test_a_missed_week_brings_one_digest_not_two(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    first, second = released(back), released(back)
    run_due(NEXT_MONDAY + timedelta(days=9))
    assert deliveries(subscription) == [[second.pk, first.pk]]
    assert DigestMark.objects.get().next_due_at == utc(2026, 12, 14, 8)


def test_what_is_over_the_cap_counts_as_shown(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    articles = [released(back) for _ in range(9)]
    run_due(MONDAY)
    run_due(NEXT_MONDAY)
    assert deliveries(subscription) == [[article.pk for article in articles[:1:-1]]]


def test_withdrawn_unpublished_and_overdue_articles_are_left_out(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    withdrawn, hidden, overdue, good = (released(back) for _ in range(4))
    Release.objects.filter(article=withdrawn).update(withdrawn_at=SUNDAY)
    type(hidden).objects.filter(pk=hidden.pk).update(live=False)
    type(overdue).objects.filter(pk=overdue.pk).update(review_due=SUNDAY.date())
    run_due(MONDAY)
    assert deliveries(subscription) == [[good.pk]]


def test_announced_again_is_shown_again_and_retagging_is_not(newsletter, back, migraine):
    subscription = reader(newsletter, back)
    settle(subscription)
    twice, retagged = released(back), released(migraine)
    run_due(MONDAY)
    factories.release_row(twice)
    retagged.conditions.add(back)
    retagged.save()
    run_due(NEXT_MONDAY)
    assert deliveries(subscription) == [[twice.pk], [twice.pk]]


@pytest.mark.parametrize("change", [{"cadence": "daily"}, {"weekday": 1}, {"hour": 9}])
def test_a_new_rhythm_takes_effect_and_repeats_nothing(newsletter, back, change):
    subscription = reader(newsletter, back, cadence="monthly")
    settle(subscription)
    shown = released(back)
    first_monday = utc(2026, 12, 7, 8)
    run_due(first_monday)
    with time_machine.travel(first_monday + timedelta(hours=2), tick=False):
        Subscription.objects.update(cadence="weekly")
        Subscription.objects.update(**change)
        time_anew([subscription.pk])
    new = released(back)
    for hours in range(24 * 8):
        run_due(first_monday + timedelta(hours=3 + hours))
    assert deliveries(subscription) == [[shown.pk], [new.pk]]


def test_a_change_of_hour_just_before_the_old_hour_sends_nothing_early(newsletter, back):
    subscription = reader(newsletter, back)
    settle(subscription)
    article = released(back)
    Subscription.objects.update(hour=9)
    time_anew([subscription.pk])
    run_due(MONDAY)
    assert deliveries(subscription) == []
    run_due(MONDAY + timedelta(hours=1))
    assert deliveries(subscription) == [[article.pk]]


def test_an_interrupted_run_goes_on_with_its_own_cut_off(newsletter, back, monkeypatch):
    monkeypatch.setattr(digest_slice, "SLICE", 2)
    monkeypatch.setattr(digest_slice, "BATCH", 1)
    subscriptions = [reader(newsletter, back) for _ in range(5)]
    settle(*subscriptions)
    article = released(back)

    [run] = run_due(MONDAY, at_most_slices=1)

    assert (run.planned, run.complete) == (2, False)
    assert Mailing.objects.get().state == Mailing.State.PLANNING
    late = released(back)
    run_due(MONDAY + timedelta(minutes=5))
    mailing = Mailing.objects.get()
    assert (mailing.state, mailing.cutoff_seq) == (Mailing.State.SENDING, 1)
    for subscription in subscriptions:
        assert deliveries(subscription) == [[article.pk]]
    run_due(NEXT_MONDAY)
    for subscription in subscriptions:
        assert deliveries(subscription) == [[article.pk], [late.pk]]
    assert sum(Batch.objects.values_list("planned", flat=True)) == 10


@pytest.mark.parametrize("station", ["_move", "_write", "_edition"])
def test_a_crash_in_a_slice_leaves_it_due(newsletter, back, monkeypatch, station):
    subscription = reader(newsletter, back)
    settle(subscription)
    article = released(back)

    def crash(*args):
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as patched:
        patched.setattr(digest_slice.Planner, station, crash)
        with pytest.raises(RuntimeError):
            run_due(MONDAY)
    assert deliveries(subscription) == []
    run_due(MONDAY + timedelta(minutes=1))
    assert deliveries(subscription) == [[article.pk]]


def test_a_crash_before_completion_is_completed_by_the_next_run(newsletter, back, monkeypatch):
    subscription = reader(newsletter, back)
    settle(subscription)
    released(back)
    with monkeypatch.context() as patched:
        patched.setattr(digest_run, "_complete", lambda mailing: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_due(MONDAY)
    assert Mailing.objects.get().state == Mailing.State.PLANNING
    run_due(MONDAY + timedelta(minutes=1))
    assert Mailing.objects.get().state == Mailing.State.SENDING
    assert len(deliveries(subscription)) == 1


def test_a_slice_takes_few_queries_however_many_readers(
    newsletter, back, django_assert_max_num_queries
):
    for number in range(60):
        reader(newsletter, back, zone=["UTC", "Europe/Berlin"][number % 2], hour=8 + number % 2)
    settle()
    released(back)
    with django_assert_max_num_queries(45):
        run_due(NEXT_MONDAY)
    assert Delivery.objects.count() == 60


def test_a_slice_that_was_overtaken_writes_nothing_and_is_read_anew(newsletter, back, monkeypatch):
    first, second = reader(newsletter, back), reader(newsletter, back)
    settle()
    article = released(back)
    choose, tries = digest_slice.Planner._owed, []

    def and_another_run_meanwhile(planner, rows):
        tries.append(len(rows))
        if len(tries) == 1:
            # Undone again with the slice, which is how little of it may remain.
            DigestMark.objects.filter(pk=second.pk).update(mark=99)
        return choose(planner, rows)

    monkeypatch.setattr(digest_slice.Planner, "_owed", and_another_run_meanwhile)
    run_due(MONDAY)
    assert tries == [2, 2]
    assert deliveries(first) == deliveries(second) == [[article.pk]]
