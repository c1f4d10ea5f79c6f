"""The sign-off: the very revision is rendered, frozen and hashed.

Who holds which permission is asked at the edge. What is asked here holds for everyone, also for
an administrator: nobody signs off what they wrote or sent to review themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Revision, WorkflowState

from newsletter.approval import freeze, preflight, reasons, scope
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
def approve_issue(
    *,
    issue: Issue,
    revision: Revision,
    by: AbstractUser,
    given: Mapping[str, str] | None = None,
    medically: bool = True,
) -> Approval:
    """Sign off `revision`, which must be the issue's newest, and freeze what it renders to.

    `given` holds a written reason for each warning, by `Finding.key`. `medically` is False for a
    second person who is no doctor; then an earlier medical approval must still fit.
    An approval that stood before is void from now on, and what was scheduled under it is off.
    Raises NotApprovable.
    """
    issue = Issue.objects.select_for_update().get(pk=issue.pk)
    _refuse_strangers(issue, revision, by)
    content: Issue = revision.as_object()
    edition = compile_issue(content)
    findings = preflight.check(content, edition=edition)
    return _sign(
        issue,
        content,
        revision,
        by,
        findings,
        freeze.issue_forms(content, edition),
        given,
        medically,
    )


@transaction.atomic
def approve_article(
    *,
    article: Article,
    revision: Revision,
    by: AbstractUser,
    given: Mapping[str, str] | None = None,
    medically: bool = True,
) -> Approval:
    """Sign off `revision` of an article and freeze its place in digests, as approve_issue does.
    Raises NotApprovable."""
    article = Article.objects.select_for_update().get(pk=article.pk)
    _refuse_strangers(article, revision, by)
    content: Article = revision.as_object()
    findings = preflight.check_article(content)
    return _sign(
        article, content, revision, by, findings, freeze.article_forms(content), given, medically
    )


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
    approval = newest(issue)
    if approval is None:
        return Standing(None, _("It has not been approved yet."))
    content = issue.get_latest_revision_as_object()
    return _compare(approval, freeze.issue_forms(content))


def valid_approval(issue: Issue) -> Approval | None:
    """The approval under which this issue may be sent today, or None."""
    return standing(issue).approval


def article_standing(article: Article) -> Standing:
    """The same for an article, as it is live: its digests carry what is live, not a draft."""
    approval = newest(article)
    if approval is None:
        return Standing(None, _("It has not been approved yet."))
    live = Article.objects.get(pk=article.pk)
    if live.live_revision_id not in (None, approval.revision_id):
        # A digest shows the head of an article only; its page shows all of it.
        return Standing(None, _("What is published is not what was approved. Have it reviewed."))
    return _compare(approval, freeze.article_forms(live))


def valid_article_approval(article: Article) -> Approval | None:
    return article_standing(article).approval


def medical_basis(thing: Issue | Article, content: Issue | Article) -> Approval | None:
    """The doctor's approval that still covers every medical word of `content`, or None.

    Where there is one, any second person may sign what else has changed. One that was taken back
    for a reason of its own covers nothing; one that a newer approval replaced does.
    """
    approval = newest(thing)
    if approval is None:
        return None
    basis = approval.medical
    signed = bytes(basis.medical_hash)
    return basis if signed and signed == scope.medical_hash(content) else None


def signed_medically(things: Sequence[Issue] | Sequence[Article]) -> dict[int, Approval]:
    """Return, for many of one kind by their numbers, the doctor's approval that could cover their
    newest draft: `medical_basis` without rendering, in one statement."""
    if not things:
        return {}
    kind = things[0]._meta.model_name
    approvals = (
        Approval.objects.standing()
        .filter(**{f"{kind}__in": [thing.pk for thing in things]})
        .select_related("rests_on")
        .order_by("pk")
    )
    newest_of = {getattr(one, f"{kind}_id"): one for one in approvals}  # the newest stands last
    return {
        number: approval.medical
        for number, approval in newest_of.items()
        if approval.medical.medical_hash
    }


def contributors(thing: Issue | Article) -> set[int]:
    """The accounts that wrote what is now up for approval, or sent it to review.

    Everyone with a revision since the last approval counts: a later revision holds the earlier
    one's words.
    """
    return contributors_of([thing])[thing.pk]


def contributors_of(things: Sequence[Issue] | Sequence[Article]) -> dict[int, set[int]]:
    """Return the same for many of one kind, by their numbers, in three statements."""
    found: dict[int, set[int]] = {thing.pk: set() for thing in things}
    if not things:
        return found
    kind = things[0]._meta.model_name
    approvals = Approval.objects.standing().filter(**{f"{kind}__in": list(found)}).order_by("pk")
    approved = dict(approvals.values_list(f"{kind}_id", "approved_at"))  # the newest stands last
    of_them = {
        "base_content_type": ContentType.objects.get_for_model(things[0]),
        "object_id__in": [str(number) for number in found],
    }
    revisions = Revision.objects.filter(**of_them)
    for number, user, at in revisions.values_list("object_id", "user_id", "created_at"):
        since = approved.get(int(number))
        if user is not None and (since is None or at > since):
            found[int(number)].add(user)
    submitters = WorkflowState.objects.active().filter(**of_them)
    for number, user in submitters.values_list("object_id", "requested_by_id"):
        if user is not None:
            found[int(number)].add(user)
    return found


def newest(thing: Issue | Article) -> Approval | None:
    """The approval that nobody has taken back, whether it still fits or not."""
    standing: ApprovalQuerySet = thing.approvals.standing()
    return standing.select_related("revision", "rests_on").order_by("-pk").first()


def _sign(
    thing: Issue | Article,
    content: Issue | Article,
    revision: Revision,
    by: AbstractUser,
    findings: Sequence[preflight.Finding],
    forms: Sequence[freeze.FrozenForm],
    given: Mapping[str, str] | None,
    medically: bool,
) -> Approval:
    errors = [f.message for f in findings if f.level == preflight.Level.ERROR]
    errors += reasons.missing(findings, given or {})
    if errors:
        raise NotApprovable(errors)
    basis = None
    if not medically:
        basis = medical_basis(thing, content)
        if basis is None:
            raise NotApprovable([_("Medical content has changed. A medical reviewer has to sign.")])
    for earlier in thing.approvals.standing():
        void(approval=earlier, reason=_("A newer version was approved."))
    approval = Approval.objects.create(
        **{"issue" if isinstance(thing, Issue) else "article": thing},
        revision=revision,
        content_hash=freeze.hash_of(forms),
        medical_hash=scope.medical_hash(content),
        rests_on=basis,
        approved_by_id=by.pk,
    )
    freeze.store(approval, forms)
    reasons.keep(approval, findings, given or {}, by=by)
    thing.review_notes.open().update(settled_at=timezone.now())
    return approval


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
