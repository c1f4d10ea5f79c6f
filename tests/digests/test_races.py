"""What others commit between two statements of a slice: nobody is doubled, lost or put off.

Each test stops a run at one line and lets another connection commit there. On PostgreSQL, since
SQLite lets nobody else write from a slice's first statement to its commit.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from newsletter.catalogue.models import ReleaseCounter
from newsletter.sending import digest_run, digest_slice
from newsletter.sending.digest_marks import time_anew
from newsletter.sending.digest_slice import Overtaken, Planner
from newsletter.sending.models import Delivery, DigestMark, Mailing
from signup.models import ConsentText, Subscriber, Subscription
from tests.digests import factories
from tests.digests.factories import consent_entry, reader, released, utc

SUNDAY = utc(2026, 11, 22, 12)
MONDAY = utc(2026, 11, 23, 8)

pytestmark = pytest.mark.django_db(transaction=True)
between_connections = pytest.mark.postgres


@pytest.fixture
def newsletter():
    return factories.DigestNewsletterFactory()


@pytest.fixture
def back():
    return factories.ConditionFactory()


def run_due(at, **how):
    with time_machine.travel(at, tick=False):
        return digest_run.run_due(at, **how)


@pytest.fixture
def two_readers(newsletter, back):
    """Two weekly readers who had their first digest, and one article since."""
    with time_machine.travel(SUNDAY, tick=False):
        found = [reader(newsletter, back), reader(newsletter, back)]
        run_due(SUNDAY)
        DigestMark.objects.update(first_sent_at=SUNDAY)
        released(back)
    return found


def elsewhere(what: Callable[[], object]) -> None:
    """Do it and commit it on a connection of its own, while this one's transaction stays open."""
    faults: list[BaseException] = []

    def do() -> None:
        try:
            what()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "waits for a lock of the slice"
    assert faults == []


def just_before(monkeypatch, station: str, what: Callable[[], object]) -> list[str]:
    """Let another connection do `what`, once, when the slice comes to this method."""
    real, done = getattr(Planner, station), []

    def stopped(planner, *args):
        if not done:
            done.append(station)
            elsewhere(what)
        return real(planner, *args)

    monkeypatch.setattr(Planner, station, stopped)
    return done


def mails(subscription) -> list[list[int]]:
    rows = Delivery.objects.filter(subscriber=subscription.subscriber).order_by("pk")
    return list(rows.values_list("article_ids", flat=True))


@between_connections
@pytest.mark.parametrize("station", ["_owed", "_move", "_claim"])
def test_a_rhythm_changed_while_the_slice_is_planned_is_the_rhythm_of_the_next_digest(
    two_readers, monkeypatch, station
):
    """Lest who turns from monthly to daily at the wrong moment wait for a month."""
    eager, _ = two_readers
    Subscription.objects.filter(pk=eager.pk).update(cadence="monthly")

    def turn_daily():
        Subscription.objects.filter(pk=eager.pk).update(cadence="daily", hour=9)
        time_anew([eager.pk])

    done = just_before(monkeypatch, station, turn_daily)
    run_due(MONDAY)
    run_due(MONDAY + timedelta(minutes=1))
    assert done
    assert [len(mails(subscription)) for subscription in two_readers] == [1, 1]
    due = DigestMark.objects.get(pk=eager.pk).next_due_at
    assert due == MONDAY + timedelta(hours=1)


@between_connections
@pytest.mark.parametrize("station", ["_owed", "_pass_over"])
def test_who_may_be_mailed_only_while_the_slice_is_planned_is_not_passed_over(
    two_readers, monkeypatch, station
):
    late, other = two_readers
    entry = late.subscriber.health_consent
    Subscriber.objects.filter(pk=late.subscriber_id).update(health_consent=None)

    def consent():
        Subscriber.objects.filter(pk=late.subscriber_id).update(health_consent=entry)

    done = just_before(monkeypatch, station, consent)
    run_due(MONDAY)
    assert done
    assert len(mails(other)) == 1
    run_due(MONDAY + timedelta(minutes=1))
    assert mails(late) == mails(other)


@between_connections
@pytest.mark.parametrize("station", ["_receiving", "_owed", "_move", "_write", "_pass_over"])
def test_who_confirms_while_the_slice_is_planned_gets_one_first_digest(
    newsletter, back, two_readers, monkeypatch, station
):
    new = []

    def confirm():
        new.append(reader(newsletter, back, live_at=timezone.now()))
        time_anew([new[0].pk])

    if station == "_pass_over":
        # There must be somebody to pass over.
        Subscriber.objects.filter(pk=two_readers[0].subscriber_id).update(health_consent=None)
    just_before(monkeypatch, station, confirm)
    run_due(MONDAY)
    for minutes in range(1, 4):
        run_due(MONDAY + timedelta(minutes=minutes))
    assert len(mails(new[0])) == 1
    assert len(mails(two_readers[1])) == 1


@between_connections
@pytest.mark.parametrize("station", ["_receiving", "_owed", "_move", "_pass_over"])
def test_who_comes_back_while_the_slice_is_planned_has_a_due_time(
    two_readers, monkeypatch, station
):
    gone, other = two_readers
    entry = gone.consent
    Subscription.objects.filter(pk=gone.pk).update(
        state="ended", ended_reason="unsubscribed", consent=None
    )

    def come_back():
        Subscription.objects.filter(pk=gone.pk).update(
            state="live", ended_reason="", consent=entry, live_at=timezone.now()
        )
        time_anew([gone.pk])

    just_before(monkeypatch, station, come_back)
    run_due(MONDAY)
    # The sweep would find it in the end; here it is not needed.
    run_due(MONDAY + timedelta(minutes=1), sweep=False)
    assert DigestMark.objects.get(pk=gone.pk).next_due_at == MONDAY + timedelta(days=7)
    # Nothing that came out before the return is owed.
    assert (len(mails(gone)), len(mails(other))) == (0, 1)


@between_connections
@pytest.mark.parametrize("station", ["_owed", "_move", "_write"])
def test_a_release_during_the_slice_waits_for_the_next_digest(
    two_readers, back, monkeypatch, station
):
    late = []
    just_before(monkeypatch, station, lambda: late.append(released(back).pk))
    run_due(MONDAY)
    first = [mails(subscription) for subscription in two_readers]
    run_due(MONDAY + timedelta(days=7))
    for subscription, had in zip(two_readers, first, strict=True):
        assert len(had) == 1
        assert late[0] not in had[0]
        assert mails(subscription) == [*had, late]


def test_a_slice_that_was_overtaken_at_its_end_leaves_nothing_behind_that_it_counts_on(
    two_readers, monkeypatch
):
    """Not even the edition it made, which went with its transaction."""
    passed, other = two_readers
    Subscriber.objects.filter(pk=passed.subscriber_id).update(health_consent=None)
    real, tries = Planner._pass_over, []

    def overtaken_once(planner, between):
        tries.append(between)
        if len(tries) == 1:
            raise Overtaken
        return real(planner, between)

    monkeypatch.setattr(Planner, "_pass_over", overtaken_once)
    run_due(MONDAY)
    assert len(tries) == 2
    assert len(mails(other)) == 1
    edition = Delivery.objects.get().edition
    assert edition.mailing == Mailing.objects.get(state=Mailing.State.SENDING)


def test_a_slice_that_is_overtaken_again_and_again_ends_with_an_error(two_readers, monkeypatch):
    """A mark that can never be claimed must not keep a process busy for ever."""
    tries = []

    def always(planner, moves):
        tries.append(len(moves))
        raise Overtaken

    with monkeypatch.context() as patched:
        patched.setattr(Planner, "_claim", always)
        with pytest.raises(Overtaken):
            run_due(MONDAY)
    assert len(tries) == digest_run.TRIES
    run_due(MONDAY + timedelta(minutes=1))
    assert [len(mails(subscription)) for subscription in two_readers] == [1, 1]


def test_an_interrupted_run_of_a_clock_that_was_ahead_takes_nobody_more(
    newsletter, back, two_readers, monkeypatch
):
    """Else the rest of its readers would be mailed early, and who is due anew twice by one run."""
    monkeypatch.setattr(digest_slice, "SLICE", 1)
    run_due(MONDAY + timedelta(days=300), at_most_slices=1)
    assert Mailing.objects.get(state=Mailing.State.PLANNING)
    early, other = two_readers
    # The clock is right again: still Sunday.
    run_due(SUNDAY + timedelta(hours=1))
    assert not Mailing.objects.filter(state=Mailing.State.PLANNING).exists()
    assert (len(mails(early)), len(mails(other))) == (1, 0)
    run_due(MONDAY)
    assert mails(other) == mails(early)
    article = released(back).pk
    run_due(MONDAY + timedelta(days=7))
    for subscription in two_readers:
        assert [article] in mails(subscription)
        assert len(mails(subscription)) == 2


def test_what_a_mark_is_ahead_of_the_cut_off_is_neither_shown_nor_taken_back(two_readers):
    """An interrupted run with an old cut-off meets a mark that a later one has moved."""
    ahead, other = two_readers
    DigestMark.objects.filter(pk=ahead.pk).update(mark=99)
    run_due(MONDAY)
    assert (len(mails(ahead)), len(mails(other))) == (0, 1)
    assert DigestMark.objects.get(pk=ahead.pk).mark == 99
    assert DigestMark.objects.get(pk=other.pk).mark == ReleaseCounter.current()


def test_consent_is_asked_again_for_each_slice(two_readers):
    """Taken back before the run: passed over, and owed nothing of it on return."""
    back_again, _ = two_readers
    Subscriber.objects.filter(pk=back_again.subscriber_id).update(health_consent=None)
    run_due(MONDAY)
    entry = consent_entry(back_again.subscriber, ConsentText.Purpose.HEALTH)
    Subscriber.objects.filter(pk=back_again.subscriber_id).update(health_consent=entry)
    run_due(MONDAY + timedelta(days=7))
    assert mails(back_again) == []
