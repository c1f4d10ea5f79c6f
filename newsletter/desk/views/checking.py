"""Preflight while somebody writes: the form as it stands in, the findings out. Saves nothing of it.

The editor posts its whole form here a moment after each change, as Wagtail's preview does.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.datastructures import MultiValueDictKeyError
from django.utils.translation import gettext as _
from django.views import View

from newsletter import tasks
from newsletter.approval import preflight
from newsletter.approval.links import looking
from newsletter.approval.models import ReviewNote
from newsletter.catalogue.models import Newsletter
from newsletter.desk.access import COMPOSE_ARTICLE, COMPOSE_ISSUE, require_any
from newsletter.desk.addresses import box_url
from newsletter.desk.queue import hand_over
from newsletter.desk.views.refusals import refusals
from newsletter.editions.models import Article, Issue
from newsletter.wire.headers import UnsafeValue
from newsletter.wire.mjml import MjmlError


class CheckDraft(View):
    http_method_names = ["post"]
    model: type[Issue] | type[Article] = Issue

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        require_any(request, COMPOSE_ISSUE if self.model is Issue else COMPOSE_ARTICLE)
        draft, refused = self._draft(request, pk)
        context: dict[str, Any] = {
            "may_compose": True,
            "edit_url": "",
            "notes": _notes(pk, self.model),
            # What was never saved has no revision to put a box into.
            "box_url": box_url(draft) if draft is not None and draft.pk else "",
        }
        if draft is None:
            context["waiting"] = _("Until this is mended it can be neither saved nor checked.")
            context["errors"] = refused
        elif isinstance(draft, Issue) and draft.newsletter_id is None:
            context["waiting"] = _("Choose a newsletter, and the check begins.")
        else:
            context.update(self._checked(draft))
        return TemplateResponse(request, "desk/includes/checked.html", context)

    def _draft(
        self, request: HttpRequest, pk: int | None
    ) -> tuple[Issue | Article | None, list[preflight.Finding]]:
        """The object as the form would make it, with gaps; None for what no form can read, and
        what has to be mended first."""
        if pk is None:
            instance = self.model()
        else:
            thing = get_object_or_404(self.model, pk=pk)
            instance = thing.get_latest_revision_as_object()
        # The editor's own form, which keeps to what this member of staff is limited to.
        form_class = self.model.snippet_viewset.get_form_class(for_update=True)
        form = form_class(request.POST, instance=instance, for_user=request.user)
        form.defer_required_fields()
        try:
            if not form.is_valid():
                return None, refusals(form)
        except MultiValueDictKeyError:  # a form that was cut off on its way
            return None, []
        draft: Issue | Article = form.save(commit=False)
        if isinstance(draft, Issue) and draft.newsletter_id is not None:
            draft.newsletter = Newsletter.objects.get(pk=draft.newsletter_id)
        return draft, []

    def _checked(self, draft: Issue | Article) -> dict[str, Any]:
        try:
            if isinstance(draft, Issue):
                findings = preflight.check(draft)
            else:
                findings = preflight.check_article(draft)
        except (MjmlError, UnsafeValue) as broken:
            return {"broken": str(broken)}
        # Links are tried by a task; this answer holds what is known of them by now.
        asked = looking.want(preflight.linked_from(draft))
        if asked:
            hand_over(tasks.check_links)
        return {
            "errors": [f for f in findings if f.level == preflight.Level.ERROR],
            "warnings": [f for f in findings if f.level == preflight.Level.WARNING],
            "links_asked": asked,
            "checked": True,
        }


def _notes(pk: int | None, model: type[Issue] | type[Article]) -> list[ReviewNote]:
    if pk is None:
        return []
    kind = "issue_id" if model is Issue else "article_id"
    return list(ReviewNote.objects.open().filter(**{kind: pk}).select_related("by"))
