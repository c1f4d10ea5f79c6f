"""Where an issue or article stands on its way, in the words of those who make it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.editions.models import Article, Issue
from newsletter.sending.models import Mailing


@dataclass(frozen=True, slots=True)
class Stage:
    key: str
    label: str


def stage_of(thing: Issue | Article) -> Stage:
    """Say where it stands, from rows alone: whether an approval still fits the content is only
    asked where something hangs on it, since that renders the mail."""
    return _issue_stage(thing) if isinstance(thing, Issue) else _article_stage(thing)


def _issue_stage(issue: Issue) -> Stage:
    mailing = first_mailing(issue)
    if mailing is not None:
        return {
            Mailing.State.PLANNING: Stage("sending", _("Sending")),
            Mailing.State.SENDING: Stage("sending", _("Sending")),
            Mailing.State.PAUSED: Stage("paused", _("Paused")),
            Mailing.State.CANCELLED: Stage("cancelled", _("Cancelled")),
            Mailing.State.ENDED: Stage("sent", _("Sent")),
        }[Mailing.State(mailing.state)]
    if issue.workflow_in_progress:
        return Stage("review", _("In review"))
    approval = issue.approvals.standing().order_by("-pk").first()
    if approval is not None and not _edited_since(issue, approval.revision_id):
        if approval.schedules.open().exists():
            return Stage("scheduled", _("Scheduled"))
        return Stage("approved", _("Approved"))
    if issue.current_workflow_state is not None:
        return Stage("changes", _("Changes asked for"))
    return Stage("draft", _("Draft"))


def _article_stage(article: Article) -> Stage:
    if article.workflow_in_progress:
        return Stage("review", _("In review"))
    if article.current_workflow_state is not None:
        return Stage("changes", _("Changes asked for"))
    if article.live and article.releases.filter(withdrawn_at__isnull=True).exists():
        return Stage("released", _("In the digests"))
    if article.live:
        return Stage("live", _("Published"))
    return Stage("draft", _("Draft"))


def first_mailing(issue: Issue) -> Mailing | None:
    """The mailing by which the issue went out first; corrections are mailings of their own."""
    return Mailing.objects.filter(issue=issue, purpose="first").first()


def _edited_since(thing: Issue | Article, revision_id: int) -> bool:
    return bool(thing.latest_revision_id != revision_id)
