"""The reviewer's page: what the mail is, what changed since they last signed, and the decision.

Made for a phone between two patients: one column, everything on one page, two buttons.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.models import TaskState

from newsletter.approval import changes, preflight, reading
from newsletter.approval.models import Approval, ReviewNote
from newsletter.approval.preflight import medicine
from newsletter.approval.preflight.language import MOST_SENTENCES, prose
from newsletter.approval.preflight.outline import Part
from newsletter.approval.sign_off import NotApprovable
from newsletter.desk.access import staff
from newsletter.desk.addresses import way_url
from newsletter.desk.models import MedicalReview
from newsletter.desk.waiting import asked_and_due
from newsletter.editions.models import Article, Issue

MOST_NOTE = 2_000


class ReadAndDecide(WagtailAdminTemplateMixin, TemplateView):
    """GET shows it; POST approves or returns it, if it is still what was shown."""

    template_name = "desk/read_and_decide.html"
    http_method_names = ["get", "head", "post"]
    model: type[Issue] | type[Article] = Issue
    header_icon = "success"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.user = staff(request)
        self.thing: Issue | Article = get_object_or_404(self.model, pk=kwargs["pk"])
        self.refusals: list[str] = []

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        state = self.state
        if state is None:
            messages.info(request, _("It is not in review any more."))
            return redirect(way_url(self.thing))
        self._may_decide(state)
        return self.render_to_response(self.get_context_data(**kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        state = self.state
        if state is None or request.POST.get("state") != str(state.pk):
            messages.error(
                request, _("Somebody has decided or taken it back while this page was open.")
            )
            return redirect(way_url(self.thing))
        self._may_decide(state)
        if request.POST.get("decision") == "approve":
            done = self._approve(state)
        else:
            done = self._return(state)
        if done:
            return redirect(way_url(self.thing))
        # What was typed stands in the page again.
        return self.render_to_response(self.get_context_data(**kwargs), status=422)

    # --- The two decisions --------------------------------------------------------------------

    def _approve(self, state: TaskState) -> bool:
        if self.notes:
            self.refusals = [
                _("You wrote notes for the author. Return it with them, or take them out.")
            ]
            return False
        given = {
            finding.key: self.request.POST.get(f"reason-{finding.key}", "")
            for finding in self.findings
            if finding.level == preflight.Level.WARNING
        }
        try:
            self._task(state).on_action(
                state, self.user, "approve", comment=self._comment, given=given
            )
        except NotApprovable as refusal:
            self.refusals = refusal.reasons
            return False
        messages.success(self.request, _("Approved. What you read is what will be sent."))
        return True

    @transaction.atomic
    def _return(self, state: TaskState) -> bool:
        if not self.notes and not self._comment:
            self.refusals = [_("Say what is to be changed: at a block, or about the whole.")]
            return False
        kind = "issue" if isinstance(self.thing, Issue) else "article"
        ReviewNote.objects.bulk_create(
            ReviewNote(
                **{kind: self.thing},
                revision=state.revision,
                block=part.block,
                about=f"{part.label}: {part.beginning}"[:120],
                note=note,
                by=self.user,
            )
            for part, note in self.notes
        )
        self._task(state).on_action(state, self.user, "reject", comment=self._comment)
        messages.success(self.request, _("Returned. The author has your notes."))
        return True

    @cached_property
    def notes(self) -> list[tuple[Part, str]]:
        typed = [
            (part, self.request.POST.get(f"note-{part.block}", "").strip()[:MOST_NOTE])
            for part in self.parts
        ]
        return [(part, note) for part, note in typed if note]

    @property
    def _comment(self) -> str:
        return self.request.POST.get("comment", "").strip()[:MOST_NOTE]

    # --- What is shown ------------------------------------------------------------------------

    @cached_property
    def state(self) -> TaskState | None:
        return self.thing.current_workflow_task_state

    @cached_property
    def content(self) -> Any:
        return self.thing.get_latest_revision_as_object()

    @cached_property
    def parts(self) -> list[Part]:
        return preflight.parts_of(self.content)

    @cached_property
    def findings(self) -> list[preflight.Finding]:
        if isinstance(self.thing, Issue):
            return preflight.check(self.content)
        return preflight.check_article(self.content)

    def get_page_title(self) -> str:
        return _("Read and decide")

    def get_header_title(self) -> str:
        return f"{self.content}: {self.get_page_title()}"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": way_url(self.thing), "label": str(self.content)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        state = self.state
        assert state is not None  # asked before anything is shown
        asked, due_on = asked_and_due(state)
        kind = "issue" if isinstance(self.thing, Issue) else "article"
        measured = reading.measure(prose(self.parts), self.content.language)
        typed = self.request.POST
        context.update(
            kind=kind,
            object=self.thing,
            content=self.content,
            state=state,
            asked=asked,
            due_on=due_on,
            way_url=way_url(self.thing),
            refusals=self.refusals,
            errors=[f for f in self.findings if f.level == preflight.Level.ERROR],
            warnings=[
                (f, typed.get(f"reason-{f.key}", ""))
                for f in self.findings
                if f.level == preflight.Level.WARNING
            ],
            parts=[(part, typed.get(f"note-{part.block}", "")) for part in self.parts],
            comment=typed.get("comment", ""),
            since=self._since(),
            needs_doctor=self._task(state).needs_doctor(self.thing),
            reading=measured,
            hard=measured.hard[:MOST_SENTENCES],
            sources=self._sources(),
            frame_url=reverse("desk:preview", args=(kind, self.thing.pk, "html")),
            text_url=reverse("desk:preview", args=(kind, self.thing.pk, "text")),
        )
        return context

    def _since(self) -> changes.Since | None:
        """What changed since this reviewer last signed it; for a first time, since anybody did."""
        signed = self.thing.approvals.select_related("revision", "approved_by").order_by("-pk")
        last: Approval | None = signed.filter(approved_by=self.user).first() or signed.first()
        return changes.since_approval(self.content, last) if last else None

    def _sources(self) -> list[tuple[Article, list[str]]]:
        if isinstance(self.content, Article):
            return [(self.content, self.content.source_list)]
        return [
            (article, article.source_list) for article in medicine.referenced_articles(self.content)
        ]

    def _task(self, state: TaskState) -> MedicalReview:
        task = state.task.specific
        assert isinstance(task, MedicalReview)  # the one kind of task there is (desk.roles)
        return task

    def _may_decide(self, state: TaskState) -> None:
        if not self._task(state).may_decide(self.thing, self.user):
            raise PermissionDenied
