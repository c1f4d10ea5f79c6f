"""A warning does not hold anybody back who can say why. What they say is kept."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import AbstractUser
from django.utils.translation import gettext as _

from newsletter.approval.models import Approval, Reason
from newsletter.approval.preflight.findings import Finding, Level

# "ok" and "x" are no reasons.
SHORTEST = 8


def missing(findings: Sequence[Finding], given: Mapping[str, str]) -> list[str]:
    """Return, in words for staff, each warning that still wants a reason."""
    return [
        _("Say why this is all right: %(warning)s") % {"warning": finding.message}
        for finding in findings
        if finding.level == Level.WARNING and len(given.get(finding.key, "").strip()) < SHORTEST
    ]


def keep(
    approval: Approval, findings: Sequence[Finding], given: Mapping[str, str], *, by: AbstractUser
) -> None:
    """Write down the reasons given for these warnings; one that stands already stays."""
    Reason.objects.bulk_create(
        [
            Reason(
                approval=approval,
                key=finding.key,
                message=finding.message,
                reason=" ".join(given[finding.key].split())[:500],
                given_by_id=by.pk,
            )
            for finding in findings
            if finding.level == Level.WARNING and given.get(finding.key, "").strip()
        ],
        ignore_conflicts=True,
    )


def unanswered(findings: Sequence[Finding], approval: Approval) -> list[Finding]:
    """The warnings for which this approval holds no reason: what has come up since."""
    answered = set(approval.reasons.values_list("key", flat=True))
    return [
        finding
        for finding in findings
        if finding.level == Level.WARNING and finding.key not in answered
    ]
