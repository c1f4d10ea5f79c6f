"""Safety alerts at the desk: marked, signed by two, sent, reported on, recalled, corrected."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.archive import webview
from newsletter.desk import unreached
from newsletter.desk.access import (
    APPROVE,
    MARK_ALERT,
    SEND,
    VIEW_MAILING,
    VIEW_READERS,
    VIEW_UNREACHED,
    require_all,
    require_any,
)
from newsletter.desk.digests.forms import MarkForm
from newsletter.desk.digests.frame import header
from newsletter.desk.security.forms import ReasonForm
from newsletter.editions.models import Article
from newsletter.sending import alert as verbs
from newsletter.sending.alert_report import report_of, without_it
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import SafetyAlert
from newsletter.tasks import plan_alert
from newsletter.wire.message import CompiledMessage

READERS = (MARK_ALERT, APPROVE, SEND, VIEW_MAILING)
MOST_SHOWN = 50


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    require_any(request, *READERS)
    found = SafetyAlert.objects.select_related("article", "marked_by").order_by("-pk")[:MOST_SHOWN]
    return TemplateResponse(
        request,
        "desk/digests/alerts.html",
        {"alerts": [(alert, stage_of(alert)) for alert in found], **header(_("Safety alerts"))},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def mark_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an article; with `corrects`, as the correction of an alert that went out."""
    user = require_any(request, MARK_ALERT)
    article = get_object_or_404(Article, pk=pk)
    form = MarkForm(
        request.POST if request.method == "POST" else None,
        article=article,
        initial={"corrects": request.GET.get("corrects")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            alert = verbs.mark(article=article, by=user, **form.cleaned_data)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Marked. Nothing goes out until two others have signed."))
            return redirect("desk:alert", alert.pk)
    return TemplateResponse(
        request,
        "desk/digests/mark_alert.html",
        {"article": article, "form": form, **_header(_("Mark as a safety alert"))},
        status=422 if form.errors else 200,
    )


@never_cache
@require_safe
def alert_page(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, *READERS)
    return _page(request, _alert(pk))


@xframe_options_sameorigin
@require_safe
def alert_preview(request: HttpRequest, pk: int, newsletter: int, language: str) -> HttpResponse:
    """The mail as its readers get it: what would be signed, or what was."""
    require_any(request, *READERS)
    alert = _alert(pk)
    forms = verbs.contents_of(alert)[0] if alert.is_open else list(alert.forms.all())
    for form in forms:
        if (form.newsletter_id, form.language) == (newsletter, language):
            message = CompiledMessage.from_bytes(bytes(form.content))
            whole = message.fill({**webview.neutral_values(message)})
            return HttpResponse(webview.page_of(whole))
    raise Http404


@require_POST
def sign_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign what the page showed. The second signature sends it."""
    user = require_any(request, APPROVE)
    alert = _alert(pk)
    try:
        with transaction.atomic():
            mailings = verbs.sign(alert=alert, by=user, seen=request.POST.get("seen", ""))
            if mailings:
                plan_alert.delay_on_commit(alert.pk)  # type: ignore[attr-defined]
    except NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:alert", pk)
    alert.refresh_from_db()
    if alert.sent_at is None:
        messages.success(request, _("Signed. It goes out when one more person has signed it."))
    elif mailings:
        messages.success(request, _("Signed and sent. It overtakes everything else that waits."))
    else:
        messages.warning(request, _("Signed. Nobody follows its conditions, so nobody gets it."))
    return redirect("desk:alert", pk)


@require_POST
def drop_alert(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, MARK_ALERT, APPROVE)
    try:
        verbs.drop(alert=_alert(pk))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Taken off. Nothing went out."))
    return redirect("desk:alerts")


@require_POST
def recall_alert(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, APPROVE, SEND)
    try:
        verbs.recall(alert=_alert(pk), by=user, reason=request.POST.get("reason", ""))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("Recalled. Nothing more of it goes out, and no digest takes it up.")
        )
    return redirect("desk:alert", pk)


@never_cache
@require_POST
def list_unreached(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is still without it, a page at a time; each page is written down with its reason."""
    user = require_all(request, VIEW_READERS, VIEW_UNREACHED)
    alert = _alert(pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, alert, reason_form=form, status=422)
    return TemplateResponse(
        request,
        "desk/digests/unreached.html",
        {
            **unreached.listed(
                request,
                by=user,
                reason=form.cleaned_data["reason"],
                about=f"safety alert {alert.pk}",
                rows_after=lambda place: without_it(
                    alert, after=place, most=unreached.LISTED_AT_ONCE
                ),
            ),
            **_header(_("Not reached"), alert),
        },
    )


def stage_of(alert: SafetyAlert) -> tuple[str, str]:
    """Where it stands: the key of its badge, and the words."""
    if alert.dropped_at:
        return "cancelled", _("taken off")
    if alert.recalled_at:
        return "cancelled", _("recalled")
    if alert.sent_at:
        return "sent", _("sent")
    return "review", _("one signature of two") if alert.first_by_id else _("waits for signatures")


def _alert(pk: int) -> SafetyAlert:
    return get_object_or_404(
        SafetyAlert.objects.select_related(
            "article", "marked_by", "first_by", "second_by", "recalled_by", "corrects__article"
        ),
        pk=pk,
    )


def _page(
    request: HttpRequest,
    alert: SafetyAlert,
    *,
    reason_form: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = require_any(request, *READERS, VIEW_UNREACHED)
    forms, seen = verbs.contents_of(alert) if alert.is_open else (list(alert.forms.all()), "")
    changed = (
        bool(alert.is_open and alert.content_hash)
        and seen != bytes(alert.content_hash or b"").hex()
    )
    may_sign = (
        alert.is_open
        and user.has_perm(APPROVE)
        and user.pk not in verbs.concerned_staff(alert)
        and (changed or user.pk != alert.first_by_id)
    )
    languages = dict(settings.LANGUAGES)
    return TemplateResponse(
        request,
        "desk/digests/alert.html",
        {
            "alert": alert,
            "stage": stage_of(alert),
            "seen": seen,
            "changed": changed,
            "previews": [
                {
                    "label": languages.get(form.language, form.language),
                    "url": reverse(
                        "desk:alert_preview", args=(alert.pk, form.newsletter_id, form.language)
                    ),
                }
                for form in forms
            ],
            "report": report_of(alert) if alert.sent_at else None,
            "corrections": alert.corrections.select_related("article").order_by("pk"),
            "may_sign": may_sign,
            "may_drop": alert.is_open and (user.has_perm(MARK_ALERT) or user.has_perm(APPROVE)),
            "may_recall": bool(alert.sent_at)
            and not alert.recalled_at
            and (user.has_perm(APPROVE) or user.has_perm(SEND)),
            "may_correct": bool(alert.sent_at) and user.has_perm(MARK_ALERT),
            "may_list": bool(alert.sent_at) and user.has_perms((VIEW_READERS, VIEW_UNREACHED)),
            "reason_form": reason_form or ReasonForm(),
            **_header(alert.article.title, alert),
        },
        status=status,
    )


def _header(here: str, alert: SafetyAlert | None = None) -> dict[str, Any]:
    between = [(_("Safety alerts"), reverse("desk:alerts"))]
    if alert is not None and here != alert.article.title:
        between.append((alert.article.title, reverse("desk:alert", args=(alert.pk,))))
    return header(here, between)
