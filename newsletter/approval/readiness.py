"""May this issue go out now? Asked when somebody sends, and when a schedule falls due."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.approval import preflight, reasons, sign_off
from newsletter.approval.models import Approval
from newsletter.audience.recipients import recipients
from newsletter.editions.models import Issue


@dataclass(frozen=True, slots=True)
class Readiness:
    """The approval to send under, or None and every reason against it, in words for staff.

    `open_warnings` have come up since the approval: whoever sends or schedules says why they do
    not hold it back. A schedule that falls due is not stopped by them; nobody is there to ask.
    """

    approval: Approval | None
    refusals: tuple[str, ...] = ()
    open_warnings: tuple[preflight.Finding, ...] = ()


def readiness(issue: Issue) -> Readiness:
    """Look at everything once more: a review can have fallen due since the approval."""
    findings = preflight.check(issue.get_latest_revision_as_object())
    refusals = [finding.message for finding in findings if finding.level == preflight.Level.ERROR]
    standing = sign_off.standing(issue)
    if standing.approval is None:
        refusals.insert(0, standing.reason)
    if not recipients(issue.newsletter).exists():
        refusals.append(_("Nobody receives this newsletter yet, so there is nobody to send to."))
    if refusals or standing.approval is None:
        return Readiness(None, tuple(refusals))
    return Readiness(
        standing.approval,
        open_warnings=tuple(reasons.unanswered(findings, standing.approval)),
    )
