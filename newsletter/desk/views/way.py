"""The page on which an issue or article goes its way: what preflight says, the reviewer's
decision, and then sending or release. Everyone sees the same page; buttons follow permissions."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.models import TaskState

from newsletter.approval import preflight, sign_off
from newsletter.approval.models import Schedule
from newsletter.audience.recipients import recipients
from newsletter.desk.access import (
    APPROVE,
    COMPOSE_ARTICLE,
    COMPOSE_ISSUE,
    SEND,
    VIEW_ARTICLE,
    VIEW_ISSUE,
    require_any,
)
from newsletter.desk.addresses import box_url, reading_url
from newsletter.desk.forms import AskForm, TestSendForm
from newsletter.desk.stages import Stage, first_mailing, stage_of
from newsletter.desk.waiting import asked_and_due
from newsletter.editions.models import Article, Issue
from newsletter.wire.mjml import MjmlError


class WayView(WagtailAdminTemplateMixin, TemplateView, ABC):
    """What both kinds have in common."""

    model: ClassVar[type[Issue] | type[Article]]
    readers: ClassVar[tuple[str, ...]]
    compose: ClassVar[str]
    url_name: ClassVar[str]
    submit_name: ClassVar[str]
    take_back_name: ClassVar[str]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.user = require_any(request, *self.readers)
        self.live_object = get_object_or_404(self.model, pk=kwargs["pk"])

    @classmethod
    def again(cls, request: HttpRequest, pk: int, **forms: Any) -> HttpResponse:
        """Show the page once more, with the form that could not be accepted."""
        view = cls()
        view.setup(request, pk=pk)
        return view.render_to_response(view.get_context_data(**forms), status=422)

    @cached_property
    def content(self) -> Any:
        """The newest revision, which is what is reviewed and, once approved, sent."""
        return self.live_object.get_latest_revision_as_object()

    def get_page_title(self) -> str:
        return _("Check, review, send")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        viewset = self.model.snippet_viewset
        return [
            *self.breadcrumbs_items,
            {"url": reverse(viewset.get_url_name("list")), "label": viewset.menu_label},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_header_title(self) -> str:
        return f"{self.content}: {self.get_page_title()}"

    @cached_property
    def stage(self) -> Stage:
        return stage_of(self.live_object)

    @cached_property
    def task_state(self) -> TaskState | None:
        return self.live_object.current_workflow_task_state

    def review_context(self) -> dict[str, Any]:
        state = self.task_state
        if state is None:
            return {}
        actions = state.task.specific.get_actions(self.live_object, self.user)
        asked, due_on = asked_and_due(state)
        return {
            "task_state": state,
            "asked": asked,
            "due_on": due_on,
            "is_late": due_on < timezone.localdate(),
            "read_url": reading_url(self.live_object),
            "needs_doctor": state.task.specific.needs_doctor(self.live_object),
            "submitted_by": state.workflow_state.requested_by,
            "may_decide": bool(actions),
            "is_own": self.user.has_perm(APPROVE) and not actions,
            "may_withdraw": state.workflow_state.user_can_cancel(self.user),
        }

    @abstractmethod
    def findings(self) -> list[preflight.Finding]:
        """What preflight says of the newest revision. Raises MjmlError if it cannot be rendered."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        broken = ""
        findings: list[preflight.Finding] = []
        try:
            findings = self.findings()
        except MjmlError as error:
            broken = str(error)
        viewset = self.model.snippet_viewset
        user = self.user
        context.update(
            object=self.live_object,
            content=self.content,
            stage=self.stage,
            stage_label=self.stage.label,
            broken=broken,
            errors=[f for f in findings if f.level == preflight.Level.ERROR],
            warnings=[f for f in findings if f.level == preflight.Level.WARNING],
            blocked=bool(broken) or any(f.level == preflight.Level.ERROR for f in findings),
            review=self.review_context(),
            may_compose=user.has_perm(self.compose),
            edit_url=reverse(viewset.get_url_name("edit"), args=(self.live_object.pk,)),
            submit_url=reverse(self.submit_name, args=(self.live_object.pk,)),
            take_back_url=reverse(self.take_back_name, args=(self.live_object.pk,)),
            box_url=box_url(self.live_object)
            if user.has_perm(self.compose) and self.task_state is None
            else "",
            way_url=reverse(self.url_name, args=(self.live_object.pk,)),
            ask_form=AskForm(by=user, about=self.live_object),
            notes=self.live_object.review_notes.open().select_related("by"),
            approvals=self.live_object.approvals.select_related("approved_by").order_by("-pk")[:3],
        )
        return context


class IssueWay(WayView):
    model = Issue
    readers = (COMPOSE_ISSUE, VIEW_ISSUE, APPROVE, SEND)
    compose = COMPOSE_ISSUE
    url_name = "desk:issue"
    submit_name = "desk:submit_issue"
    take_back_name = "desk:take_back_issue"
    template_name = "desk/issue_way.html"
    header_icon = "mail"

    def findings(self) -> list[preflight.Finding]:
        return preflight.check(self.content)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        issue, user = self.live_object, self.user
        standing = (
            sign_off.Standing(None, _("It cannot be rendered."))
            if context["broken"]
            else sign_off.standing(issue)
        )
        schedules = Schedule.objects.filter(approval__issue=issue).select_related("scheduled_by")
        context.update(
            standing=standing,
            mailing=first_mailing(issue),
            schedule=schedules.open().first(),
            refused_schedule=schedules.exclude(refusal="").order_by("-pk").first(),
            may_send=user.has_perm(SEND),
            may_dry_run=user.has_perm(SEND) or user.has_perm(COMPOSE_ISSUE),
            now=timezone.now(),
            may_test=user.has_perm(SEND) or user.has_perm(COMPOSE_ISSUE),
            # Counting a million readers is for the page that asks for confirmation.
            has_readers=recipients(issue.newsletter).exists(),
            test_form=kwargs.get("test_form")
            or TestSendForm(initial={"to": user.email}, seeds=self.content.newsletter.seeds),
            previews=_previews("issue", issue.pk),
        )
        return context


class ArticleWay(WayView):
    model = Article
    readers = (COMPOSE_ARTICLE, VIEW_ARTICLE, APPROVE, SEND)
    compose = COMPOSE_ARTICLE
    url_name = "desk:article"
    submit_name = "desk:submit_article"
    take_back_name = "desk:take_back_article"
    template_name = "desk/article_way.html"
    header_icon = "doc-full"

    def findings(self) -> list[preflight.Finding]:
        return preflight.check_article(self.content)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user = self.user
        context.update(
            standing=sign_off.article_standing(self.live_object),
            releases=self.live_object.releases.order_by("-seq"),
            may_release=user.has_perm(APPROVE) or user.has_perm(SEND),
            previews=_previews("article", self.live_object.pk),
        )
        return context


def _previews(kind: str, pk: int) -> list[dict[str, Any]]:
    """The three looks at the mail, as frames of their own."""
    views = [("mail", _("Mail"), 640, "html"), ("phone", _("Phone"), 375, "html")]
    if kind == "issue":
        views.append(("text", _("Plain text"), 640, "text"))
    return [
        {
            "key": key,
            "label": label,
            "width": width,
            "url": reverse("desk:preview", args=(kind, pk, form)),
        }
        for key, label, width, form in views
    ]
