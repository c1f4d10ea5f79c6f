"""A correction at the desk: its draft, and whom it reaches."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from newsletter.audience.reasons import Reason
from newsletter.desk import unreached
from newsletter.desk.access import (
    APPROVE,
    COMPOSE_ISSUE,
    SEND,
    VIEW_ISSUE,
    VIEW_MAILING,
    VIEW_READERS,
    VIEW_UNREACHED,
    require_all,
    require_any,
)
from newsletter.desk.frame import frame
from newsletter.desk.models import User
from newsletter.desk.security.forms import ReasonForm
from newsletter.editions.models import Issue
from newsletter.sending import corrections
from newsletter.sending.correction_report import reach_of, without_it
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Delivery, Mailing

_READERS = (COMPOSE_ISSUE, VIEW_ISSUE, VIEW_MAILING, APPROVE, SEND)


@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the draft of a correction, or go on with the one there is."""
    user = require_any(request, COMPOSE_ISSUE)
    mailing = get_object_or_404(Mailing.objects.select_related("issue", "approval"), pk=pk)
    try:
        draft = corrections.draft(mailing=mailing, by=user)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:mailing", pk)
    messages.success(
        request,
        _("A draft. Say first what was wrong and what is right, then mend the text below."),
    )
    return redirect(Issue.snippet_viewset.get_url_name("edit"), draft.pk)


@never_cache
@require_safe
def reach(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom a correction reaches: as it would be sent now, or as it was."""
    user = require_any(request, *_READERS)
    return _page(request, user, _correction(pk), ReasonForm())


@never_cache
@require_POST
def without(request: HttpRequest, pk: int) -> HttpResponse:
    """Who has what was wrong and not the correction, a page at a time, each written down."""
    user = require_all(request, VIEW_READERS, VIEW_UNREACHED)
    correction = _correction(pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, user, correction, form, status=422)
    return TemplateResponse(
        request,
        "desk/after/without.html",
        {
            **unreached.listed(
                request,
                by=user,
                reason=form.cleaned_data["reason"],
                about=f"correction {correction.pk}",
                rows_after=lambda place: without_it(
                    correction, after=place, most=unreached.LISTED_AT_ONCE
                ),
            ),
            **_header(correction, _("Not reached")),
        },
    )


def _page(
    request: HttpRequest, user: User, correction: Issue, form: ReasonForm, status: int = 200
) -> HttpResponse:
    found = reach_of(correction)
    return TemplateResponse(
        request,
        "desk/after/reach.html",
        {
            "correction": correction,
            "original": correction.line()[-1],
            "reach": found,
            "left_out": [
                (Delivery.SkipReason(reason).label, number)
                for reason, number in sorted(found.left_out.items())
            ],
            "any_paused": found.left_out.get(Reason.PAUSED, 0),
            "may_list": user.has_perms((VIEW_READERS, VIEW_UNREACHED)),
            "reason_form": form,
            **_header(correction, _("Whom it reaches")),
        },
        status=status,
    )


def _correction(pk: int) -> Issue:
    found: Issue = get_object_or_404(
        Issue.objects.select_related("newsletter", "corrects"), pk=pk, corrects__isnull=False
    )
    return found


def _header(correction: Issue, here: str) -> dict[str, object]:
    way = reverse("desk:issue", args=(correction.pk,))
    between = [(correction.title, way)]
    if here != _("Whom it reaches"):
        whom = reverse("desk:reach", args=(correction.pk,))
        between.append((_("Whom it reaches"), whom))
    return frame(f"{correction.title}: {here}", icon="mail", between=between, here=here)
