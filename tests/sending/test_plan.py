"""Planning: set-based, resumable, invisible until complete, and only for what was approved."""

import pytest
from django.db import IntegrityError, transaction

from newsletter.approval import sign_off
from newsletter.management import test_mailing
from newsletter.sending import plan
from newsletter.sending.balance import counts
from newsletter.sending.errors import NotApproved
from newsletter.sending.feed import feed
from newsletter.sending.models import Batch, Delivery, Mailing
from newsletter.sending.plan import plan_issue, resume, unfinished
from signup.models import ConsentEntry, Subscription
from signup.unsubscribe import end
from tests.sending.mailings import assert_balanced, planned, reader_addresses, with_readers

pytestmark = pytest.mark.django_db


def created(readers: int = 3) -> Mailing:
    newsletter = with_readers(readers)
    issue, approval = test_mailing.make_approved_issue(newsletter)
    return plan_issue(issue=issue, approval=approval, by=None)


def test_readers_are_gathered_into_batches_in_order(monkeypatch):
    monkeypatch.setattr(plan, "BATCH", 3)
    mailing = planned(8)

    batches = Batch.objects.filter(mailing=mailing).order_by("pk")

    assert [batch.planned for batch in batches] == [3, 3, 2]
    rows = Delivery.objects.filter(mailing=mailing).order_by("batch", "place")
    assert [row.place for row in rows] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert [row.subscriber.email for row in rows] == reader_addresses(mailing)
    assert_balanced(mailing)


def test_a_plan_is_invisible_until_it_is_complete(monkeypatch):
    monkeypatch.setattr(plan, "BATCH", 2)
    monkeypatch.setattr(plan, "AT_ONCE", 1)
    mailing = created(5)
    assert plan._plan_slice(mailing, list(mailing.editions.all()))

    mailing.refresh_from_db()
    assert counts(mailing).planned == 2
    assert mailing.state == Mailing.State.PLANNING
    assert feed() == []
    assert unfinished() == [mailing.pk]


def test_an_interrupted_plan_goes_on_and_doubles_nobody(monkeypatch):
    monkeypatch.setattr(plan, "BATCH", 2)
    monkeypatch.setattr(plan, "AT_ONCE", 1)
    mailing = created(5)
    plan._plan_slice(mailing, list(mailing.editions.all()))

    resume(Mailing.objects.get(pk=mailing.pk))
    resume(Mailing.objects.get(pk=mailing.pk))

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.SENDING
    assert counts(mailing).planned == 5
    assert unfinished() == []
    assert_balanced(mailing)


def test_two_planners_at_once_plan_each_slice_once(monkeypatch):
    """Both read the same `planned_upto`; the second one's slice is refused whole."""
    monkeypatch.setattr(plan, "BATCH", 2)
    monkeypatch.setattr(plan, "AT_ONCE", 1)
    mailing = created(4)
    editions = list(mailing.editions.all())
    stale = Mailing.objects.get(pk=mailing.pk)

    assert plan._plan_slice(mailing, editions) is True
    assert plan._plan_slice(stale, editions) is False

    assert counts(mailing).planned == 2
    assert_balanced(mailing)


def test_the_database_itself_refuses_a_second_copy_for_a_reader():
    """Invariant 3: what stands behind every conditional UPDATE."""
    mailing = planned(1)
    row = Delivery.objects.get(mailing=mailing)

    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            mailing=mailing,
            batch=row.batch,
            edition=row.edition,
            subscriber=row.subscriber,
            place=1,
        )


def test_asking_twice_gives_the_same_mailing():
    newsletter = with_readers(2)
    issue, approval = test_mailing.make_approved_issue(newsletter)

    first = plan_issue(issue=issue, approval=approval, by=None)
    second = plan_issue(issue=issue, approval=approval, by=None)

    assert first == second
    assert Mailing.objects.count() == 1


def test_an_issue_that_changed_after_its_approval_is_not_sent():
    """Invariant 16."""
    newsletter = with_readers(2)
    issue, approval = test_mailing.make_approved_issue(newsletter)
    issue.subject = "Something else"
    issue.save()
    issue.save_revision()

    with pytest.raises(NotApproved):
        plan_issue(issue=issue, approval=approval, by=None)

    assert not Mailing.objects.exists()
    assert not Delivery.objects.exists()


def test_an_approval_that_was_taken_back_sends_nothing():
    newsletter = with_readers(2)
    issue, approval = test_mailing.make_approved_issue(newsletter)
    sign_off.void(approval=approval, reason="An error in the dose.")

    with pytest.raises(NotApproved):
        plan_issue(issue=issue, approval=approval, by=None)

    assert not Mailing.objects.exists()


def test_another_issues_approval_does_not_do():
    newsletter = with_readers(2)
    issue, _ = test_mailing.make_approved_issue(newsletter)
    _, other = test_mailing.make_approved_issue(newsletter)

    with pytest.raises(NotApproved):
        plan_issue(issue=issue, approval=other, by=None)


def test_who_left_before_the_plan_is_not_in_it():
    newsletter = with_readers(3)
    leaver = Subscription.objects.filter(newsletter=newsletter).first()
    end(
        subscription=leaver,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )

    issue, approval = test_mailing.make_approved_issue(newsletter)
    mailing = resume(plan_issue(issue=issue, approval=approval, by=None))

    assert counts(mailing).planned == 2
    assert not Delivery.objects.filter(subscriber=leaver.subscriber).exists()
