"""Duplicate an issue, keep one as a template, begin one with a template. Form, verb, redirect."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.desk.access import COMPOSE_ISSUE, require_any
from newsletter.desk.frame import frame
from newsletter.desk.models.limits import limits_of
from newsletter.desk.scope import reaches_beyond
from newsletter.editions import begin
from newsletter.editions.models import Issue, IssueTemplate
from newsletter.editions.models.issue import one_line


class TemplateForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of the template"),
        max_length=80,
        validators=[one_line],
        help_text=gettext_lazy("Such as: Our weekly letter. One of the same name is replaced."),
    )


@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, COMPOSE_ISSUE)
    issue = get_object_or_404(Issue, pk=pk)
    if reaches_beyond(issue.get_latest_revision_as_object(), None, user):
        raise PermissionDenied
    made = begin.duplicate(issue=issue, by=user)
    messages.success(request, _("A copy, as a draft of its own. Nothing of it is approved."))
    return redirect(_editor(made))


@require_http_methods(["GET", "HEAD", "POST"])
def save_template(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, COMPOSE_ISSUE)
    issue = get_object_or_404(Issue, pk=pk)
    content: Issue = issue.get_latest_revision_as_object()
    form = TemplateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        begin.save_as_template(issue=issue, name=form.cleaned_data["name"], by=user)
        messages.success(request, _("Kept. New issues can begin with it."))
        return redirect("desk:templates")
    context = {
        "issue": issue,
        "content": content,
        "form": form,
        **frame(
            _("Keep “%(title)s” as a template") % {"title": content.title},
            icon="copy",
            between=[(content.title, reverse("desk:issue", args=(pk,)))],
            here=_("Keep as a template"),
        ),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "desk/begin/save_template.html", context, status=status)


@require_safe
def templates(request: HttpRequest) -> HttpResponse:
    user = require_any(request, COMPOSE_ISSUE)
    found = limits_of(user).among(
        IssueTemplate.objects.select_related("newsletter", "made_by").defer("body")
    )
    context = {
        "templates": found,
        **frame(_("Templates"), icon="copy", between=[(_("Issues"), _list_of_issues())]),
    }
    return TemplateResponse(request, "desk/begin/templates.html", context)


@require_POST
def use_template(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, COMPOSE_ISSUE)
    template = get_object_or_404(IssueTemplate.objects.select_related("newsletter"), pk=pk)
    made = begin.from_template(template=template, by=user)
    messages.success(request, _("A new draft that begins with “%(name)s”.") % {"name": template})
    return redirect(_editor(made))


@require_http_methods(["GET", "HEAD", "POST"])
def delete_template(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST does."""
    require_any(request, COMPOSE_ISSUE)
    template = get_object_or_404(IssueTemplate, pk=pk)
    if request.method == "POST":
        template.delete()
        messages.success(request, _("The template is gone. Issues made from it stay."))
        return redirect("desk:templates")
    context = {
        "template": template,
        **frame(
            _("Delete “%(name)s”") % {"name": template},
            icon="copy",
            between=[(_("Templates"), reverse("desk:templates"))],
            here=_("Delete"),
        ),
    }
    return TemplateResponse(request, "desk/begin/delete_template.html", context)


def _editor(issue: Issue) -> str:
    return reverse(Issue.snippet_viewset.get_url_name("edit"), args=(issue.pk,))


def _list_of_issues() -> str:
    return reverse(Issue.snippet_viewset.get_url_name("list"))
