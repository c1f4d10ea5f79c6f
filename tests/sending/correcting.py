"""A mailing that went out, and its correction, written and approved."""

from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from newsletter.approval import preflight, sign_off
from newsletter.approval.models import Approval
from newsletter.editions.models import Issue
from newsletter.sending import corrections, plan
from newsletter.sending.balance import recount
from newsletter.sending.models import Batch, Delivery, Mailing
from tests.sending import mailings


def writer() -> Any:
    return get_user_model().objects.get_or_create(username="corrects")[0]


def went_out(readers: int = 3, outcomes: list[str] | None = None) -> Mailing:
    """A mailing that ended, with these outcomes of its readers in their order."""
    mailing = mailings.planned(readers)
    turn_out(mailing, outcomes or ["accepted"] * readers)
    return mailing


def turn_out(mailing: Mailing, outcomes: list[str]) -> None:
    """End the mailing with these outcomes of its readers in their order."""
    rows = Delivery.objects.filter(mailing=mailing).order_by("subscriber")
    for row, outcome in zip(rows, outcomes, strict=True):
        row.state, row.outcome_at, row.attempt = outcome, timezone.now(), 1
        row.skip_reason = "not_live" if outcome == "skipped" else ""
        row.save()
    numbers = recount(mailing)
    Batch.objects.filter(mailing=mailing).update(
        state=Batch.State.DONE,
        accepted=numbers.accepted,
        refused=numbers.refused,
        skipped=numbers.skipped,
        unknown=numbers.unknown,
    )
    end(mailing)


def end(mailing: Mailing) -> None:
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.ENDED, ended_at=timezone.now())
    mailing.refresh_from_db()


def written(mailing: Mailing, wrong: str = "We wrote ten tablets.") -> Issue:
    """The draft of its correction, with the notice filled in and the text mended."""
    issue = corrections.draft(mailing=mailing, by=writer())
    draft = issue.get_latest_revision_as_object()
    kept = [
        (block.block_type, block.value) for block in draft.body if block.block_type != "correction"
    ]
    notice = {"was_wrong": wrong, "is_right": "Eight at most.", "to_do": ""}
    draft.body = [("correction", notice), *kept[:-1]]
    draft.save_revision(user=writer())
    issue.refresh_from_db()
    return issue


def approved(issue: Issue) -> Approval:
    reviewer = get_user_model().objects.get_or_create(username="signs")[0]
    given = {
        finding.key: "Looked at, and it does not hold this back."
        for finding in preflight.check(issue.get_latest_revision_as_object())
        if finding.level == preflight.Level.WARNING
    }
    return sign_off.approve_issue(
        issue=issue, revision=issue.latest_revision, by=reviewer, given=given
    )


def planned(mailing: Mailing) -> Mailing:
    """The correction of `mailing`, approved and planned."""
    issue = written(mailing)
    return plan.resume(plan.plan_issue(issue=issue, approval=approved(issue), by=writer()))
