"""Where an issue or article stands on its way, in the words of those who make it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Case, Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import WorkflowState

from newsletter.approval.models import Approval, Schedule
from newsletter.editions.models import Article, Issue, Release
from newsletter.sending.models import Batch, Delivery, Mailing

# Where a list keeps what it has read for a whole page.
_MAILINGS, _APPROVALS, _SCHEDULES, _RELEASES = (
    f"_stage_{name}" for name in ("mailings", "approvals", "schedules", "releases")
)


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
        return stage_of_mailing(mailing)
    if issue.workflow_in_progress:
        return Stage("review", _("In review"))
    approval = _standing_approval(issue)
    if approval is not None and not _edited_since(issue, approval.revision_id):
        if _is_scheduled(approval):
            return Stage("scheduled", _("Scheduled"))
        return Stage("approved", _("Approved"))
    if issue.current_workflow_state is not None:
        return Stage("changes", _("Changes asked for"))
    return Stage("draft", _("Draft"))


def stage_of_mailing(mailing: Mailing) -> Stage:
    """As with `with_retries`; without it a mailing that only retries counts as being sent."""
    if retrying := getattr(mailing, "retrying", None):
        return Stage("sent", sent_but_for(retrying))
    return {
        Mailing.State.PLANNING: Stage("sending", _("Sending")),
        Mailing.State.SENDING: Stage("sending", _("Sending")),
        Mailing.State.PAUSED: Stage("paused", _("Paused")),
        Mailing.State.CANCELLED: Stage("cancelled", _("Cancelled")),
        Mailing.State.ENDED: Stage("sent", _("Sent")),
    }[Mailing.State(mailing.state)]


def sent_but_for(retrying: int) -> str:
    return ngettext("Sent, %(n)s retrying", "Sent, %(n)s retrying", retrying) % {
        "n": intcomma(retrying)
    }


def with_retries(mailings: "QuerySet[Mailing]") -> "QuerySet[Mailing]":
    """Have each say how many of it are `retrying`, if everybody else has had their turn.

    That may last for SENDING_GIVE_UP_DAYS, and for staff it is a mailing that was sent.
    """
    has_work = Batch.objects.filter(
        mailing=OuterRef("pk"), state__in=(Batch.State.READY, Batch.State.CLAIMED)
    )
    waiting = (
        Delivery.objects.filter(mailing=OuterRef("pk"), retry_at__isnull=False)
        .order_by()
        .values("mailing")
        .annotate(number=Count("pk"))
        .values("number")
    )
    tail = Q(state=Mailing.State.SENDING) & ~Exists(has_work)
    return mailings.annotate(retrying=Case(When(tail, then=Subquery(waiting))))


def _article_stage(article: Article) -> Stage:
    if article.workflow_in_progress:
        return Stage("review", _("In review"))
    if article.current_workflow_state is not None:
        return Stage("changes", _("Changes asked for"))
    if article.live and _is_released(article):
        return Stage("released", _("In the digests"))
    if article.live:
        return Stage("live", _("Published"))
    return Stage("draft", _("Draft"))


def with_stages(things: "QuerySet[Any]") -> "QuerySet[Any]":
    """Have what `stage_of` asks for read for a whole page of a list at once."""
    active = WorkflowState.objects.active().order_by("-pk")
    found = things.prefetch_related(
        # The name under which Wagtail's own properties look first.
        Prefetch("workflow_states", active, to_attr="_current_workflow_states")
    )
    if things.model is Article:
        return found.prefetch_related(
            Prefetch("releases", Release.objects.standing(), to_attr=_RELEASES)
        )
    schedules = Prefetch("schedules", Schedule.objects.open(), to_attr=_SCHEDULES)
    return found.prefetch_related(
        Prefetch("mailings", _first_mailings(), to_attr=_MAILINGS),
        Prefetch(
            "approvals",
            Approval.objects.standing().order_by("-pk").prefetch_related(schedules),
            to_attr=_APPROVALS,
        ),
    )


def _standing_approval(issue: Issue) -> Approval | None:
    if hasattr(issue, _APPROVALS):
        return next(iter(getattr(issue, _APPROVALS)), None)
    return Approval.objects.standing().filter(issue=issue).order_by("-pk").first()


def _is_scheduled(approval: Approval) -> bool:
    if hasattr(approval, _SCHEDULES):
        return bool(getattr(approval, _SCHEDULES))
    return Schedule.objects.open().filter(approval=approval).exists()


def _is_released(article: Article) -> bool:
    if hasattr(article, _RELEASES):
        return bool(getattr(article, _RELEASES))
    return Release.objects.standing().filter(article=article).exists()


def first_mailing(issue: Issue) -> Mailing | None:
    """The mailing by which the issue went out first; corrections are mailings of their own."""
    if hasattr(issue, _MAILINGS):
        return next(iter(getattr(issue, _MAILINGS)), None)
    return _first_mailings().filter(issue=issue).first()


def _first_mailings() -> "QuerySet[Mailing]":
    return with_retries(Mailing.objects.filter(purpose="first"))


def _edited_since(thing: Issue | Article, revision_id: int) -> bool:
    return bool(thing.latest_revision_id != revision_id)
