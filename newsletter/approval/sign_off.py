"""The medical sign-off: the very revision is rendered, frozen and hashed.

Who holds the permission is asked at the edge. What is asked here holds for everyone, also for an
administrator: nobody signs off what they wrote or sent to review themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Revision, WorkflowState

from newsletter.approval import freeze, preflight
from newsletter.approval.models import Approval, Schedule
from newsletter.approval.models.approval import ApprovalQuerySet
from newsletter.editions.models import Article, Issue
from newsletter.rendering.issue import compile_issue


class NotApprovable(Exception):
    """Said to staff as they stand: the reasons why this cannot be signed off."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@dataclass(frozen=True, slots=True)
class Standing:
    """The approval that holds for the content as it is now, or why none does."""

    approval: Approval | None
    reason: str = ""


@transaction.atomic
def approve_issue(*, issue: Issue, revision: Revision, by: AbstractUser) -> Approval:
    """Sign off `revision`, which must be the issue's newest, and freeze what it renders to.

    An approval that stood before is void from now on, and what was scheduled under it is off.
    Raises NotApprovable.
    """
    issue = Issue.objects.select_for_update().get(pk=issue.pk)
    _refuse_strangers(issue, revision, by)
    content: Issue = revision.as_object()
    edition = compile_issue(content)
    errors = [
        finding.message
        for finding in preflight.check(content, edition=edition)
        if finding.level == preflight.Level.ERROR
    ]
    if errors:
        raise NotApprovable(errors)
    for earlier in issue.approvals.standing():
        void(approval=earlier, reason=_("A newer version was approved."))
    forms = freeze.issue_forms(content, edition)
    approval = Approval.objects.create(
        issue=issue,
        revision=revision,
        content_hash=freeze.hash_of(forms),
        approved_by_id=by.pk,
    )
    freeze.store(approval, forms)
    return approval


@transaction.atomic
def approve_article(*, article: Article, revision: Revision, by: AbstractUser) -> Approval:
    """Sign off `revision` of an article and freeze its place in digests. Raises NotApprovable."""
    article = Article.objects.select_for_update().get(pk=article.pk)
    _refuse_strangers(article, revision, by)
    content: Article = revision.as_object()
    errors = [
        finding.message
        for finding in preflight.check_article(content)
        if finding.level == preflight.Level.ERROR
    ]
    if errors:
        raise NotApprovable(errors)
    for earlier in article.approvals.standing():
        void(approval=earlier, reason=_("A newer version was approved."))
    forms = freeze.article_forms(content)
    approval = Approval.objects.create(
        article=article,
        revision=revision,
        content_hash=freeze.hash_of(forms),
        approved_by_id=by.pk,
    )
    freeze.store(approval, forms)
    return approval


@transaction.atomic
def void(*, approval: Approval, reason: str) -> bool:
    """Take an approval back; what waits under it is cancelled. False when it was void already."""
    now = timezone.now()
    changed = (
        Approval.objects.standing()
        .filter(pk=approval.pk)
        .update(voided_at=now, void_reason=reason[:200])
    )
    Schedule.objects.open().filter(approval=approval).update(cancelled_at=now, refusal=reason[:300])
    return bool(changed)


def standing(issue: Issue) -> Standing:
    """Say which approval holds for the issue as staff see it now: its newest revision, rendered
    with today's articles, newsletter and publisher."""
    approval = _newest(issue)
    if approval is None:
        return Standing(None, _("It has not been approved yet."))
    content = issue.get_latest_revision_as_object()
    return _compare(approval, freeze.issue_forms(content))


def valid_approval(issue: Issue) -> Approval | None:
    """The approval under which this issue may be sent today, or None."""
    return standing(issue).approval


def article_standing(article: Article) -> Standing:
    """The same for an article, as it is live: its digests carry what is live, not a draft."""
    approval = _newest(article)
    if approval is None:
        return Standing(None, _("It has not been approved yet."))
    live = Article.objects.get(pk=article.pk)
    if live.live_revision_id not in (None, approval.revision_id):
        # A digest shows the head of an article only; its page shows all of it.
        return Standing(None, _("What is published is not what was approved. Have it reviewed."))
    return _compare(approval, freeze.article_forms(live))


def valid_article_approval(article: Article) -> Approval | None:
    return article_standing(article).approval


def contributors(thing: Issue | Article) -> set[int]:
    """The accounts that wrote what is now up for approval, or sent it to review.

    Everyone with a revision since the last approval counts: a later revision holds the earlier
    one's words.
    """
    revisions = thing.revisions.all()
    approved = _newest(thing)
    if approved is not None:
        revisions = revisions.filter(created_at__gt=approved.approved_at)
    submitters = WorkflowState.objects.for_instance(thing).active()
    ids = set(revisions.values_list("user_id", flat=True))
    ids.update(submitters.values_list("requested_by_id", flat=True))
    ids.discard(None)
    return ids


def _newest(thing: Issue | Article) -> Approval | None:
    standing: ApprovalQuerySet = thing.approvals.standing()
    return standing.select_related("revision").order_by("-pk").first()


def _compare(approval: Approval, forms: Sequence[freeze.FrozenForm]) -> Standing:
    if freeze.hash_of(forms) != bytes(approval.content_hash):
        return Standing(
            None,
            _(
                "It has changed since it was approved: its text, an article it shows, the "
                "newsletter's or publisher's details, or the address of this site. Have it "
                "reviewed again."
            ),
        )
    if not freeze.is_intact(approval):
        return Standing(
            None, _("What was frozen at approval has been altered. Have it approved again.")
        )
    return Standing(approval)


def _refuse_strangers(thing: Issue | Article, revision: Revision, by: AbstractUser) -> None:
    """Refuse another thing's revision, an old revision, and a reviewer who is not a stranger
    to the text."""
    if (
        str(revision.object_id) != str(thing.pk)
        or revision.content_type != thing.get_content_type()
    ):
        raise NotApprovable([_("That revision belongs to something else.")])
    if revision.pk != thing.latest_revision_id:
        raise NotApprovable([_("It was changed after it was sent to review. Read it again.")])
    if by.pk in contributors(thing):
        raise NotApprovable(
            [_("You wrote or submitted this yourself. Another reviewer has to approve it.")]
        )
