"""The record of a sign-off, for the folder: who signed what, when, and what it hashes to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.models import WorkflowState

from newsletter.approval import freeze
from newsletter.approval.models import Approval, ReviewNote
from newsletter.approval.preflight import medicine
from newsletter.desk.access import (
    APPROVE,
    COMPOSE_ARTICLE,
    COMPOSE_ISSUE,
    SEND,
    VIEW_ARTICLE,
    VIEW_ISSUE,
    require_any,
)
from newsletter.desk.addresses import way_url
from newsletter.desk.frame import frame
from newsletter.editions.models import Article, Issue


@require_safe
def record(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, APPROVE, SEND, COMPOSE_ISSUE, COMPOSE_ARTICLE, VIEW_ISSUE, VIEW_ARTICLE)
    approval = get_object_or_404(
        Approval.objects.select_related(
            "issue__newsletter", "article", "approved_by", "revision__user", "rests_on__approved_by"
        ),
        pk=pk,
    )
    thing: Issue | Article | None = approval.issue or approval.article
    assert thing is not None  # one of them, by constraint
    content: Issue | Article = approval.revision.as_object()
    submitted = (
        WorkflowState.objects.for_instance(thing)
        .filter(task_states__revision=approval.revision)
        .select_related("requested_by")
        .last()
    )
    context = {
        "approval": approval,
        "thing": thing,
        "content": content,
        "is_issue": isinstance(thing, Issue),
        "authors": _authors(approval, thing),
        "submitted": submitted,
        "frozen": approval.frozen.order_by("language", "variant", "form"),
        "intact": freeze.is_intact(approval),
        "reasons": approval.reasons.select_related("given_by"),
        "notes": ReviewNote.objects.filter(
            **{"issue" if isinstance(thing, Issue) else "article": thing},
            at__lte=approval.approved_at,
        ).select_related("by"),
        "articles": _articles(approval, content),
        **frame(
            _("Sign-off record: %(title)s") % {"title": content.title},
            icon="clipboard-list",
            between=[(content.title, way_url(thing))],
            here=_("Sign-off record"),
        ),
    }
    return TemplateResponse(request, "desk/record.html", context)


def _authors(approval: Approval, thing: Issue | Article) -> list[str]:
    """Who saved a version of what was signed, since the approval before it."""
    revisions = thing.revisions.filter(created_at__lte=approval.approved_at)
    earlier = thing.approvals.filter(pk__lt=approval.pk).order_by("-pk").first()
    if earlier is not None:
        revisions = revisions.filter(created_at__gt=earlier.approved_at)
    people = {revision.user for revision in revisions.select_related("user") if revision.user}
    return sorted(person.get_full_name() or person.get_username() for person in people)


def _articles(
    approval: Approval, content: Issue | Article
) -> list[tuple[Article, Approval | None]]:
    """The articles that the issue showed, each with the sign-off that held for it that day."""
    if not isinstance(content, Issue):
        return []
    return [
        (
            article,
            article.approvals.filter(approved_at__lte=approval.approved_at)
            .select_related("approved_by")
            .order_by("-pk")
            .first(),
        )
        for article in medicine.referenced_articles(content)
    ]
