"""Somebody leaves the desk: the account closes, and what was theirs goes to somebody else.

What they did stays as it was done: approvals, revisions and records go on naming them, and an
approval holds. What they set a time for goes out, and administrators are told whose it was.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import TaskState

from newsletter.approval.models import Schedule
from newsletter.desk.models import Absence, Departure, Handover, Invitation, ReviewRequest, User
from newsletter.desk.security import factor
from newsletter.editions.models import Article, DraftLink, Issue
from newsletter.sending.models import Mailing


class NotPossible(ValueError):
    """Nobody was named for what would be left lying."""


@dataclass(frozen=True, slots=True)
class Left:
    """What would be left lying without a successor."""

    issues: list[Issue]
    articles: list[Article]
    reviews: list[ReviewRequest]
    deputies: list[Absence]
    schedules: list[Schedule]

    @property
    def needs_successor(self) -> bool:
        return bool(self.issues or self.articles)


def issues_of(user: User) -> "QuerySet[Issue]":
    """The drafts they wrote last, or took over: what has not gone out, newest first.

    Without their bodies, which a list has no use for and a database would sort along.
    """
    found: QuerySet[Issue] = (
        Issue.objects.filter(_theirs(user, "issue"))
        .exclude(Exists(Mailing.objects.filter(issue=OuterRef("pk"))))
        .select_related("newsletter", "latest_revision")
        .defer("body", "latest_revision__content")
        .order_by("-latest_revision__created_at")
    )
    return found


def articles_of(user: User) -> "QuerySet[Article]":
    """The drafts they wrote last, or took over: what the site does not show yet, newest first."""
    return (
        Article.objects.filter(_theirs(user, "article"))
        .filter(Q(live=False) | Q(has_unpublished_changes=True))
        .select_related("latest_revision")
        .defer("body", "sources", "latest_revision__content")
        .order_by("-latest_revision__created_at")
    )


def _theirs(user: User, kind: str) -> Q:
    taken_over = Handover.objects.filter(to=user, **{f"{kind}__isnull": False})
    return Q(latest_revision__user=user) | Q(pk__in=taken_over.values(kind))


def left_by(user: User) -> Left:
    return Left(
        list(issues_of(user)),
        list(articles_of(user)),
        list(
            ReviewRequest.objects.filter(
                reviewer=user,
                workflow_state__current_task_state__status=TaskState.STATUS_IN_PROGRESS,
            )
        ),
        list(Absence.objects.filter(deputy=user).select_related("user")),
        list(
            Schedule.objects.open()
            .filter(scheduled_by=user)
            .select_related("approval__issue")
            .order_by("send_at")
        ),
    )


@transaction.atomic
def leave(*, user: User, by: User, successor: User | None) -> None:
    """Close the account and hand on what was theirs.

    Sessions end with the next request: Django knows no inactive account. The second factor goes,
    so that one who comes back proves anew who they are. Raises NotPossible.
    """
    User.objects.select_for_update().get(pk=user.pk)
    left = left_by(user)
    if left.needs_successor and successor is None:
        raise NotPossible
    if successor is not None:
        for issue in left.issues:
            Handover.objects.get_or_create(issue=issue, to=successor)
        for article in left.articles:
            Handover.objects.get_or_create(article=article, to=successor)
    Handover.objects.filter(to=user).delete()
    # Who was asked by name is asked no more. A successor who may not sign leaves it to all who may.
    able = successor is not None and successor.has_perm("approval.approve_issue")
    ReviewRequest.objects.filter(pk__in=[one.pk for one in left.reviews]).update(
        reviewer=successor if able else None
    )
    Absence.objects.filter(user=user).delete()
    for absence in left.deputies:
        if able and absence.user_id != successor.pk:  # type: ignore[union-attr]
            Absence.objects.filter(pk=absence.pk).update(deputy=successor)
        else:
            absence.delete()
    unlocked = {"locked": False, "locked_by": None, "locked_at": None}
    Issue.objects.filter(locked_by=user).update(**unlocked)
    Article.objects.filter(locked_by=user).update(**unlocked)
    DraftLink.objects.open().filter(created_by=user).update(revoked_at=timezone.now())
    Invitation.objects.filter(user=user).delete()
    factor.remove(user)
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    Departure.objects.update_or_create(user=user, defaults={"successor": successor, "by": by})
    log(user, "desk.left", user=by)
