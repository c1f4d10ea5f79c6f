"""Into medical review and back out of it. The decision itself is Wagtail's workflow action."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views import View
from wagtail.models import WorkflowState

from newsletter.desk.access import COMPOSE_ARTICLE, COMPOSE_ISSUE, require_any, staff
from newsletter.desk.addresses import way_url
from newsletter.desk.forms import AskForm
from newsletter.desk.waiting import ask
from newsletter.editions.models import Article, Issue


class Submit(View):
    """Send the newest revision to review, or send it again after changes."""

    http_method_names = ["post"]
    model: type[Issue] | type[Article] = Issue

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_any(request, COMPOSE_ISSUE if self.model is Issue else COMPOSE_ARTICLE)
        thing: Issue | Article = get_object_or_404(self.model, pk=pk)
        state = thing.current_workflow_state
        if state is not None and state.status == WorkflowState.STATUS_IN_PROGRESS:
            messages.info(request, _("It is in review already."))
        elif self._complete(request, thing):
            self._start(request, thing, state)
        return redirect(way_url(thing))

    @transaction.atomic
    def _start(
        self, request: HttpRequest, thing: Issue | Article, state: WorkflowState | None
    ) -> None:
        form = AskForm(request.POST, by=staff(request), about=thing)
        if not form.is_valid():
            for reasons in form.errors.values():
                for reason in reasons:
                    messages.error(request, str(reason))
            return
        if state is not None:
            state.resume(request.user)
        else:
            state = thing.get_workflow().start(thing, request.user)
        ask(state, reviewer=form.cleaned_data["reviewer"], due_on=form.cleaned_data["due_on"])
        messages.success(request, _("Sent to medical review."))

    def _complete(self, request: HttpRequest, thing: Issue | Article) -> bool:
        """A draft may be saved with gaps; what a reviewer reads may have none."""
        content = thing.get_latest_revision_as_object()
        try:
            content.full_clean()
            content.body.stream_block.clean(content.body)
        except ValidationError as error:
            fields = getattr(error, "message_dict", {"": error.messages})
            for name, reasons in fields.items():
                label = (
                    content._meta.get_field(name).verbose_name if name in _fields(content) else ""
                )
                said = " ".join(map(str, reasons))
                messages.error(request, f"{str(label).capitalize()}: {said}" if label else said)
            return False
        return True


class TakeBack(View):
    """End the review, so that the text can be changed again."""

    http_method_names = ["post"]
    model: type[Issue] | type[Article] = Issue

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        thing: Issue | Article = get_object_or_404(self.model, pk=pk)
        state = thing.current_workflow_state
        if state is None:
            messages.info(request, _("It is not in review any more."))
            return redirect(way_url(thing))
        if not state.user_can_cancel(request.user):
            raise PermissionDenied
        state.cancel(user=request.user)
        messages.success(request, _("Taken back from review. It can be changed again."))
        return redirect(way_url(thing))


def _fields(content: Issue | Article) -> set[str]:
    return {field.name for field in content._meta.get_fields()}
