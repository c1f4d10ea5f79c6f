"""A correction goes to exactly those who had what it corrects and may still be mailed."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter.approval import preflight
from newsletter.editions.models import Issue
from newsletter.sending import control, corrections, plan
from newsletter.sending.correction_report import reach_of, without_it
from newsletter.sending.errors import NotApproved, NotPossible, OriginalGoesOut, OtherReaders
from newsletter.sending.models import Delivery, Mailing
from newsletter.sending.record import prove_late
from newsletter.sending.settle import empty_cancelled, end_if_balanced
from signup.address import hash_address
from signup.models import ConsentEntry, Subscription, Suppression
from signup.privacy.erase import erase
from tests.sending import correcting, mailings

pytestmark = pytest.mark.django_db

OUTCOMES = ("accepted", "unknown", "refused", "skipped")


def _left(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        state="ended", ended_at=timezone.now(), ended_reason="link", consent=None
    )


def _paused(subscription: Subscription) -> None:
    subscription.paused_until = timezone.now() + timedelta(days=7)
    subscription.save()


def _pause_over(subscription: Subscription) -> None:
    subscription.paused_until = timezone.now() - timedelta(days=1)
    subscription.save()


def _suppressed(subscription: Subscription) -> None:
    hashed = hash_address(subscription.subscriber.email_key or "")
    Suppression.objects.create(address_hash=hashed, reason="hard_bounce", source="test")


def _erased(subscription: Subscription) -> None:
    erase(subscriber=subscription.subscriber, method=ConsentEntry.Method.STAFF, source="test")


def _not_told(subscription: Subscription) -> None:
    subscription.awaits_note = True
    subscription.save()


# What became of a reader since, and why they get no correction; None: they get it.
SINCE: dict[str, tuple[Callable[[Subscription], None] | None, str | None]] = {
    "nothing": (None, None),
    "pause over": (_pause_over, None),
    "left": (_left, "not_live"),
    "erased": (_erased, "erased"),
    "paused": (_paused, "paused"),
    "suppressed": (_suppressed, "suppressed"),
    "not told": (_not_told, "not_told"),
}


def test_exactly_who_had_it_and_may_still_be_mailed_over_all_histories() -> None:
    """Every outcome with everything that can have happened since, held against plain words."""
    histories = list(product(OUTCOMES, SINCE))
    original = correcting.went_out(len(histories), [outcome for outcome, _since in histories])
    readers = list(
        Subscription.objects.filter(newsletter=original.newsletter).order_by("subscriber")
    )
    expected = set()
    for reader, (outcome, since) in zip(readers, histories, strict=True):
        happened, why_not = SINCE[since]
        if happened is not None:
            happened(reader)
        if outcome in ("accepted", "unknown") and why_not is None:
            expected.add(reader.subscriber_id)
    # Who joined later never had it.
    mailings.test_mailing.make_readers(original.newsletter, len(histories) + 5)

    issue = correcting.written(original)
    before = reach_of(issue)
    correction = plan.resume(
        plan.plan_issue(issue=issue, approval=correcting.approved(issue), by=None)
    )

    assert correction.kind == Mailing.Kind.CORRECTION
    got = set(Delivery.objects.filter(mailing=correction).values_list("subscriber", flat=True))
    assert got == expected
    after = reach_of(issue)
    assert before.would_get == after.counts.planned == len(expected)
    assert before.had == after.had == 2 * len(SINCE)
    reasons = {why for _happened, why in SINCE.values() if why}
    assert before.left_out == after.left_out == {why: 2 for why in reasons}
    assert before.original == after.original
    named = {(row.subscriber, row.reason) for row in without_it(issue) if row.reason != "queued"}
    assert named == {
        (reader.subscriber_id, SINCE[since][1])
        for reader, (outcome, since) in zip(readers, histories, strict=True)
        if outcome in ("accepted", "unknown") and SINCE[since][1]
    }
    mailings.assert_balanced(correction)


def test_who_leaves_after_it_was_planned_is_skipped_and_counted() -> None:
    correction = correcting.planned(correcting.went_out(3))
    _left(Subscription.objects.filter(newsletter=correction.newsletter).order_by("subscriber")[1])
    mailings.run()
    assert mailings.states(correction) == ["accepted", "skipped", "accepted"]
    reach = reach_of(correction.issue)
    assert (reach.had, reach.counts.accepted, reach.unreached) == (3, 2, 1)
    (row,) = without_it(correction.issue)
    assert row.reason == "not_live"


def test_a_late_proof_doubles_nobody() -> None:
    """The relay's answer about the original is found after its correction was planned."""
    original = correcting.went_out(2, ["unknown", "accepted"])
    correction = correcting.planned(original)
    late = Delivery.objects.get(mailing=original, state="unknown")
    assert prove_late([(late.pk, 1)]) == 1
    plan.resume(correction)
    mailings.run()
    assert sorted(mailings.sent_to()) == sorted(mailings.reader_addresses(original))
    assert reach_of(correction.issue).had == 2


def test_it_waits_until_nobody_new_can_get_the_original() -> None:
    """A paused original may be resumed, and would reach people who get no correction."""
    original = mailings.planned(3)
    issue = correcting.written(original)
    approval = correcting.approved(issue)
    for hold in (None, control.pause):
        if hold:
            hold(mailing=original)
        with pytest.raises(OriginalGoesOut):
            plan.plan_issue(issue=issue, approval=approval, by=None)
        assert not Mailing.objects.filter(issue=issue).exists()
    control.cancel(mailing=original)
    empty_cancelled(original)
    assert end_if_balanced(original.pk)
    correction = plan.resume(plan.plan_issue(issue=issue, approval=approval, by=None))
    # Nobody had it: it goes to nobody.
    assert mailings.states(correction) == []


def test_a_correction_of_a_correction_goes_to_all_who_have_any_of_it() -> None:
    original = correcting.went_out(4, ["accepted", "accepted", "unknown", "refused"])
    first = correcting.planned(original)
    state = Delivery.objects.filter(mailing=first).order_by("subscriber")
    # One of them was refused the first correction: what they have is the original.
    for row, outcome in zip(state, ["accepted", "refused", "accepted"], strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=outcome)
    correcting.end(first)
    second = correcting.planned(first)
    had_any = set(
        Delivery.objects.filter(mailing=original, state__in=corrections.REACHED).values_list(
            "subscriber", flat=True
        )
    )
    assert set(second.deliveries.values_list("subscriber", flat=True)) == had_any
    assert second.issue.line() == [first.issue, original.issue]
    assert second.issue.title.count("Correction") == 1
    assert corrections.newest_of(original.issue) == second.issue


def test_asking_twice_gives_the_same_draft() -> None:
    original = correcting.went_out(1)
    first = corrections.draft(mailing=original, by=correcting.writer())
    assert corrections.draft(mailing=original, by=correcting.writer()) == first
    assert Issue.objects.filter(corrects=original.issue).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Issue.objects.create(
            newsletter=original.newsletter, title="Another", slug="x", corrects=original.issue
        )


def test_who_loses_the_race_gets_the_others_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and writing somebody else has made it."""
    original = correcting.went_out(1)
    theirs = corrections.draft(mailing=original, by=correcting.writer())
    looked = iter([None, theirs])
    monkeypatch.setattr(corrections, "correction_of", lambda issue: next(looked))
    assert corrections.draft(mailing=original, by=correcting.writer()) == theirs


def test_planning_it_twice_gives_one_mailing() -> None:
    issue = correcting.written(correcting.went_out(2))
    approval = correcting.approved(issue)
    first = plan.plan_issue(issue=issue, approval=approval, by=None)
    assert plan.plan_issue(issue=issue, approval=approval, by=None) == first
    plan.resume(first)
    plan.resume(first)
    assert first.deliveries.count() == 2
    assert first.pk not in plan.unfinished()


def test_a_plan_whose_task_was_lost_is_gone_on_with() -> None:
    issue = correcting.written(correcting.went_out(2))
    mailing = plan.plan_issue(issue=issue, approval=correcting.approved(issue), by=None)
    assert plan.unfinished() == [mailing.pk]


def test_it_is_reviewed_like_any_other() -> None:
    original = correcting.went_out(1)
    issue = correcting.written(original)
    with pytest.raises(NotApproved):
        plan.plan_issue(issue=issue, approval=original.approval, by=None)


def test_it_stays_with_the_readers_of_its_original() -> None:
    original = correcting.went_out(1)
    issue = correcting.written(original)
    other = mailings.test_mailing.make_newsletter("another-letter")
    draft = issue.get_latest_revision_as_object()
    draft.newsletter = other
    draft.save_revision()
    Issue.objects.filter(pk=issue.pk).update(newsletter=other)
    issue = Issue.objects.get(pk=issue.pk)
    assert "correction_moved" in _codes(issue)
    with pytest.raises(OtherReaders):
        corrections.refuse_too_early(issue)


def test_the_draft_begins_with_an_empty_notice_that_has_to_be_filled_in() -> None:
    original = correcting.went_out(1)
    issue = corrections.draft(mailing=original, by=correcting.writer())
    assert issue.subject == "Correction: A test mailing"
    kinds = [block.block_type for block in issue.body]
    assert kinds == ["correction", "heading", *["rich_text"] * mailings.PARAGRAPHS]
    assert {"correction_notice_missing", "correction_unchanged"} <= _codes(issue)
    assert not {code for code in _codes(correcting.written(original)) if "correction" in code}


def test_preflight_wants_the_notice_first_and_the_subject_to_say_so() -> None:
    issue = correcting.written(correcting.went_out(1))
    content = issue.get_latest_revision_as_object()
    content.subject = "News about tablets"
    content.body = [("rich_text", "<p>Hello.</p>"), ("correction", content.body[0].value)]
    found = {finding.code for finding in preflight.check(content)}
    assert {"correction_notice_missing", "correction_not_said"} <= found


def test_other_issues_owe_no_notice() -> None:
    original = correcting.went_out(1)
    assert not {code for code in _codes(original.issue) if "correction" in code}


@pytest.mark.parametrize("kind", ["planning", "digest"])
def test_what_has_not_gone_out_or_is_no_issue_is_not_corrected(kind: str) -> None:
    mailing = mailings.planned(1)
    if kind == "planning":
        Mailing.objects.filter(pk=mailing.pk).update(state="planning", started_at=None)
    else:
        Mailing.objects.filter(pk=mailing.pk).update(issue=None, approval=None, kind="digest")
    mailing.refresh_from_db()
    with pytest.raises(NotPossible):
        corrections.draft(mailing=mailing, by=correcting.writer())
    assert not Issue.objects.filter(corrects__isnull=False).exists()


def test_long_titles_are_cut_at_a_word() -> None:
    original = correcting.went_out(1)
    revision = original.approval.revision
    revision.content = {**revision.content, "subject": "back pain " * 11, "title": "sleep " * 26}
    revision.save()
    issue = corrections.draft(mailing=original, by=correcting.writer())
    assert len(issue.subject) <= 120
    assert issue.subject.endswith("…")
    try:
        issue.clean_fields(exclude=["body"])
    except ValidationError as error:  # pragma: no cover - says which field
        pytest.fail(str(error))


def _codes(issue: Issue) -> set[str]:
    return {finding.code for finding in preflight.check(issue.get_latest_revision_as_object())}
