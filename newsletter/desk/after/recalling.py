"""Recalls at the desk: asked, done, and the record of it for the folder."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from wagtail.models import ReferenceIndex

from newsletter.desk.access import (
    APPROVE,
    COMPOSE_ARTICLE,
    COMPOSE_ISSUE,
    SEND,
    VIEW_ARTICLE,
    VIEW_ISSUE,
    VIEW_MAILING,
    require_any,
)
from newsletter.desk.after.mending import mending_of
from newsletter.desk.frame import frame
from newsletter.editions.models import Article, Issue
from newsletter.rendering import links
from newsletter.sending import recall as verbs
from newsletter.sending.balance import counts
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Delivery, Mailing, Recall, SafetyAlert


class RecallForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        help_text=gettext_lazy("In a plain sentence. Readers see it, without your name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Say why it is recalled.")},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recall_mailing(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST does; once it was recalled, the record."""
    user = require_any(request, APPROVE, SEND, COMPOSE_ISSUE, VIEW_ISSUE, VIEW_MAILING)
    mailing = get_object_or_404(
        Mailing.objects.select_related("newsletter", "issue", "approval__approved_by"), pk=pk
    )
    issue = mailing.issue
    if issue is None:
        raise Http404
    form = RecallForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" or not Recall.objects.filter(issue=issue).exists():
        user = require_any(request, APPROVE, SEND)
    if form.is_valid():
        try:
            verbs.recall_issue(issue=issue, by=user, reason=form.cleaned_data["reason"])
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Recalled. Nothing more of it goes out."))
        return redirect("desk:recall_mailing", pk)
    cancelled = Delivery.objects.filter(
        mailing=mailing, skip_reason=Delivery.SkipReason.CANCELLED
    ).count()
    return TemplateResponse(
        request,
        "desk/after/recall_mailing.html",
        {
            "mailing": mailing,
            "issue": issue,
            "form": form,
            "counts": counts(mailing),
            "cancelled": cancelled,
            "mending": mending_of(mailing, user),
            "public_url": links.issue(issue.slug),
            **_frame(issue.title, reverse("desk:mailing", args=(pk,)), icon="mail"),
        },
        status=422 if form.errors else 200,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recall_article(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, and tells of earlier recalls; POST does."""
    user = require_any(request, APPROVE, SEND, COMPOSE_ARTICLE, VIEW_ARTICLE)
    article = get_object_or_404(Article, pk=pk)
    may = user.has_perm(APPROVE) or user.has_perm(SEND)
    form = RecallForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        require_any(request, APPROVE, SEND)
    if form.is_valid():
        try:
            verbs.recall_article(article=article, by=user, reason=form.cleaned_data["reason"])
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Recalled. It is off the site and out of the digests."))
        return redirect("desk:recall_article", pk)
    return TemplateResponse(
        request,
        "desk/after/recall_article.html",
        {
            "article": article,
            "form": form,
            "may_recall": may and (article.live or article.releases.standing().exists()),
            "recalls": article.recalls.select_related("by").order_by("-pk"),
            "withdrawn": article.releases.filter(withdrawn_at__isnull=False).order_by("-seq"),
            "mailings": mailings_that_showed(article),
            "alerts": SafetyAlert.objects.sent().filter(article=article),
            "public_url": links.article(article.slug),
            **_frame(article.title, reverse("desk:article", args=(pk,)), icon="doc-full"),
        },
        status=422 if form.errors else 200,
    )


def mailings_that_showed(article: Article) -> list[Mailing]:
    """Return the mailings of issues with a card of the article, the last first: their readers
    have it, and are told by a correction of that issue only."""
    issues = ReferenceIndex.get_references_to(article).filter(
        base_content_type=ContentType.objects.get_for_model(Issue)
    )
    numbers = {int(pk) for pk in issues.values_list("object_id", flat=True)}
    found = Mailing.objects.filter(issue__in=numbers, started_at__isnull=False)
    return list(found.select_related("issue").order_by("-pk"))


def _frame(title: str, address: str, *, icon: str) -> dict[str, Any]:
    here = _("Recall")
    return frame(f"{title}: {here}", icon=icon, between=[(title, address)], here=here)
