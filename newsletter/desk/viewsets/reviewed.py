"""Views of what goes through medical review: nothing is published past the reviewer."""

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BaseColumn, BulkActionsCheckboxColumn
from wagtail.admin.widgets.button import Button
from wagtail.models import Revision
from wagtail.snippets.views.snippets import (
    CopyView,
    CreateView,
    EditView,
    IndexView,
    WorkflowActionView,
)

from newsletter.approval.models import Approval
from newsletter.approval.sign_off import NotApprovable
from newsletter.catalogue.models import Newsletter
from newsletter.desk.addresses import way_url
from newsletter.desk.models.limits import limits_of
from newsletter.desk.viewsets.check_panel import with_check
from newsletter.editions.models import Article, Issue


class ReviewedIndexView(IndexView):
    """Leads everyone somewhere: authors to the editor, the others to the way page."""

    def get_edit_url(self, instance: Issue | Article) -> str:
        return super().get_edit_url(instance) or way_url(instance)

    def get_list_more_buttons(self, instance: Issue | Article) -> list[Button]:
        way = Button(
            _("Check, review, send"), url=way_url(instance), icon_name="success", priority=5
        )
        return [way, *super().get_list_more_buttons(instance)]

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        found = list(super().header_more_buttons)
        if self.model is Issue and self.request.user.has_perm("editions.change_issue"):
            found.append(
                Button(_("Templates"), url=reverse("desk:templates"), icon_name="copy", priority=5)
            )
        return found

    @cached_property
    def columns(self) -> list[BaseColumn]:
        """Without the tick boxes: nothing here is done to many at once."""
        return [
            column
            for column in super().columns
            if not isinstance(column, BulkActionsCheckboxColumn)
        ]


class _NothingPastReview:
    """Takes "publish" away from the editor, whoever holds the permission.

    Wagtail lets that permission bypass the workflow. Here publishing is what approval does.
    """

    action: str
    object: Issue | Article

    def get_available_actions(self) -> list[str]:
        actions: list[str] = super().get_available_actions()  # type: ignore[misc]
        return [action for action in actions if action != "publish"]

    def get_success_url(self) -> str:
        """Submitting goes on to where the reviewer's answer will stand."""
        if self.action == "submit":
            return way_url(self.object)
        return super().get_success_url()  # type: ignore[misc,no-any-return]

    def get_success_message(self, instance: Issue | Article | None = None) -> str:
        if self.action == "submit":
            return gettext("Sent to medical review.")
        return super().get_success_message(instance)  # type: ignore[misc,no-any-return]

    def get_success_buttons(self) -> list[Any]:
        return [] if self.action == "submit" else super().get_success_buttons()  # type: ignore[misc]


class ReviewedCreateView(_NothingPastReview, CreateView):
    def get_side_panels(self) -> Any:
        return with_check(super().get_side_panels(), self.form.instance, self.request)

    def get_initial_form_instance(self) -> Issue | Article:
        """Where there is one newsletter only, nobody has to choose it, and the preview, which
        needs to know it, is there from the first word."""
        instance: Issue | Article = self.model()
        if isinstance(instance, Issue):
            instance.language = ""  # the newsletter's, unless one is chosen
            editorial = limits_of(self.request.user).among(
                Newsletter.objects.filter(kind=Newsletter.Kind.EDITORIAL)
            )[:2]
            if len(editorial) == 1:
                instance.newsletter = editorial[0]
        return instance


class ReviewedCopyView(_NothingPastReview, CopyView):
    pass


class ReviewedEditView(_NothingPastReview, EditView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _spare_signed_revisions(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]

    def get_side_panels(self) -> Any:
        panels = super().get_side_panels()
        if self.expects_json_response or self.hydrate_create_view:
            return panels  # autosave renders panels again; ours goes on as it stands
        return with_check(panels, self.object, self.request)

    def is_valid(self, form: Any) -> bool:
        """Refuse to write over what somebody else has saved since this form was opened.

        Wagtail refuses that to its autosave only, and tells of it only in a browser whose scripts
        run. What was typed stays in the form, which now knows the newer version: saving it once
        more is meant.
        """
        if not self.expects_json_response and self.is_out_of_date:
            refusal = _refusal(self.request, self.object)
            if refusal:
                self.produced_error_message = refusal
                return False
            _keep_both(self.request)
        return bool(super().is_valid(form))

    def save_instance(self) -> Issue | Article:
        """Look once more, now that nobody can save in between. Raises PermissionDenied.

        An autosave that was long on its way must not put older words over those that overtook it.
        """
        newest = _newest_locked(self.object)
        seen = self.latest_revision
        if newest and seen and (newest.pk, newest.created_at) != (seen.pk, seen.created_at):
            refusal = _refusal(self.request, self.object)
            if self.expects_json_response:
                refusal = gettext("Saving will overwrite a newer version.")
            if refusal:
                self._show_as_newest(newest)
                raise PermissionDenied(refusal)
            _keep_both(self.request)
        saved: Issue | Article = super().save_instance()
        return saved

    def _show_as_newest(self, revision: Revision) -> None:
        """The page with the refusal knows it: saving from there is meant."""
        self.object.latest_revision = revision
        self.__dict__.pop("latest_revision", None)
        self.__dict__.pop("latest_revision_created_at", None)


# An autosave whose answer has not come back yet made a newer version, and the form that is saved
# right after it does not know of that. It is the same person's, of the same minute.
_ON_ITS_WAY = timedelta(minutes=1)


def _unseen(request: HttpRequest, thing: Issue | Article) -> list[Revision]:
    """What was saved since the form that is posted was opened, or last saved itself."""
    autosaved = request.POST.get("overwrite_revision_id", "")
    known = autosaved or request.POST.get("loaded_revision_id", "")
    since = thing.revisions.select_related("user").order_by("-pk")
    if not known.isdecimal():
        return list(since[:1])
    # The one that it was opened with may have been written over since: then its time tells.
    opened_at = request.POST.get("loaded_revision_created_at", "")
    return [
        one
        for one in since.filter(pk__gte=known)
        if one.pk > int(known) or (not autosaved and one.created_at.isoformat() != opened_at)
    ]


def _refusal(request: HttpRequest, thing: Issue | Article) -> str:
    """Why the form must not be saved over what is newer, or "" where that is its own autosave."""
    unseen = _unseen(request, thing)
    others = [one for one in unseen if one.user_id != request.user.pk]
    if others or any(one.created_at < timezone.now() - _ON_ITS_WAY for one in unseen):
        return _not_saved(others)
    return ""


def _newest_locked(thing: Issue | Article) -> Revision | None:
    """Return the newest version; nobody can make another one until this transaction ends."""
    rows = type(thing)._default_manager.select_for_update().order_by()
    newest = rows.values_list("latest_revision_id", flat=True).get(pk=thing.pk)
    return Revision.objects.filter(pk=newest).first()


def _keep_both(request: HttpRequest) -> None:
    """Make a new version, whichever one the form would have written over."""
    post: QueryDict = request.POST.copy()
    post.pop("overwrite_revision_id", None)
    request.POST = post  # type: ignore[assignment]


def _not_saved(others: "list[Revision]") -> str:
    rest = gettext(
        "What you typed is still here. Look at the newer version under History, then save once "
        "more to put yours on top."
    )
    if not others:
        return (
            gettext("Not saved yet: You have saved a newer version in another window.") + f" {rest}"
        )
    user = others[0].user
    who = user.get_full_name() or user.get_username() if user else "?"
    said = gettext("Not saved yet: %(who)s has saved a newer version meanwhile.") % {"who": who}
    return f"{said} {rest}"


def _spare_signed_revisions(request: HttpRequest) -> None:
    """Autosave writes over the revision it made before. In a tab left open that one may have been
    approved meanwhile; then a new revision is made, so that what was signed stays as evidence."""
    overwrites = request.POST.get("overwrite_revision_id", "")
    signed = overwrites.isdecimal() and Approval.objects.filter(revision_id=overwrites).first()
    if signed:
        post: QueryDict = request.POST.copy()
        del post["overwrite_revision_id"]
        # That revision is what this tab holds, so it is as new as that one is.
        post["loaded_revision_id"] = overwrites
        post["loaded_revision_created_at"] = signed.revision.created_at.isoformat()
        request.POST = post  # type: ignore[assignment]


class ReviewedWorkflowActionView(WorkflowActionView):
    """A refusal to approve is an answer with reasons, not an error page."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().post(request, *args, **kwargs)
        except NotApprovable as refusal:
            for reason in refusal.reasons:
                messages.error(request, reason)
            if request.headers.get("x-requested-with") == "XMLHttpRequest":
                return self.render_modal_json(  # type: ignore[no-any-return]
                    request, {"step": "success", "redirect": self.redirect_url}
                )
            return redirect(self.redirect_url)
        if self.action_name == "approve":
            messages.success(request, gettext("Approved. What you read is what will be sent."))
        else:
            messages.success(request, gettext("The author has your comment."))
        return answer
