"""What a mailing's page offers when it turns out to be wrong."""

from dataclasses import dataclass

from newsletter.desk.access import APPROVE, COMPOSE_ISSUE, SEND
from newsletter.desk.models import User
from newsletter.editions.models import Issue
from newsletter.sending import corrections
from newsletter.sending.models import Mailing, Recall


@dataclass(frozen=True, slots=True)
class Mending:
    """`newest` is the last correction there is, drafts too; a further one would correct that."""

    newest: Issue | None
    corrects: Issue | None
    recall: Recall | None
    # Nobody new can get it any more, so its correction may go.
    has_ended: bool
    may_correct: bool
    may_recall: bool

    @property
    def is_shown(self) -> bool:
        return bool(
            self.may_correct or self.may_recall or self.newest or self.corrects or self.recall
        )


def mending_of(mailing: Mailing, user: User) -> Mending | None:
    """None for mailings that are no issue's: a digest's articles are mended one by one, and
    safety alerts have a page of their own."""
    issue = mailing.issue
    if issue is None:
        return None
    newest = corrections.newest_of(issue)
    recall = Recall.objects.filter(issue=issue).select_related("by").first()
    return Mending(
        newest=newest if newest != issue else None,
        corrects=issue.corrects,
        recall=recall,
        has_ended=mailing.ended_at is not None,
        may_correct=newest == issue
        and mailing.started_at is not None
        and user.has_perm(COMPOSE_ISSUE),
        may_recall=recall is None and (user.has_perm(APPROVE) or user.has_perm(SEND)),
    )
