"""What is being sent: a page that moves while the workers send, and the three levers."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from newsletter import tasks
from newsletter.desk.access import MAY_WATCH, SEND, require_any
from newsletter.desk.after.mending import mending_of
from newsletter.desk.frame import frame
from newsletter.desk.models.limits import limits_of
from newsletter.desk.progress import progress_of, title_of
from newsletter.desk.queue import hand_over
from newsletter.desk.send.turns import lateness, skipped_by_reason
from newsletter.desk.stages import stage_of_mailing, with_retries
from newsletter.outcomes.reports import came_back_of
from newsletter.sending import control
from newsletter.sending.balance import counts_of
from newsletter.sending.errors import NotPossible
from newsletter.sending.models import Mailing

PER_PAGE = 20


@require_safe
def mailing_list(request: HttpRequest) -> HttpResponse:
    require_any(request, *MAY_WATCH)
    found = limits_of(request.user).among(
        with_retries(Mailing.objects.select_related("newsletter", "issue").order_by("-pk"))
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("p"))
    numbers = counts_of(page)
    return TemplateResponse(
        request,
        "desk/mailing_list.html",
        {
            "page": page,
            "rows": [(mailing, stage_of_mailing(mailing), numbers[mailing.pk]) for mailing in page],
            **frame(_("Mailings"), icon="mail"),
        },
    )


@require_safe
def mailing_page(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, *MAY_WATCH)
    mailing = _mailing(pk)
    return TemplateResponse(
        request,
        "desk/mailing.html",
        {
            "mending": mending_of(mailing, user),
            **_context(request, mailing),
            **_header(mailing, _("Mailing")),
            "title": title_of(mailing),
        },
    )


@never_cache
@require_safe
def mailing_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The moving part alone, for the script that fetches it every two seconds."""
    require_any(request, *MAY_WATCH)
    return TemplateResponse(request, "desk/includes/progress.html", _context(request, _mailing(pk)))


_LABELS = {
    "pause": gettext_lazy("Pause"),
    "resume": gettext_lazy("Resume"),
    "cancel": gettext_lazy("Cancel"),
}
_LEVERS = {"pause": control.pause, "resume": control.resume, "cancel": control.cancel}


@require_http_methods(["GET", "HEAD", "POST"])
def mailing_lever(request: HttpRequest, pk: int, lever: str) -> HttpResponse:
    """GET asks, POST does."""
    require_any(request, SEND)
    mailing = _mailing(pk)
    if request.method != "POST" and not _may(lever, mailing):
        # It ended while somebody read the page before: there is nothing to ask.
        return redirect("desk:mailing", pk)
    if request.method != "POST":
        return TemplateResponse(
            request,
            "desk/mailing_lever.html",
            {
                "mailing": mailing,
                "lever": lever,
                "progress": progress_of(mailing),
                **_header(mailing, _LABELS[lever]),
            },
        )
    try:
        _LEVERS[lever](mailing=mailing)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _done(lever))
        if lever == "resume":
            # At once, and not with the next tick.
            hand_over(tasks.feed)
    return redirect("desk:mailing", pk)


def _mailing(pk: int) -> Mailing:
    return get_object_or_404(
        Mailing.objects.select_related("newsletter", "issue", "schedule"), pk=pk
    )


def _header(mailing: Mailing, here: Any) -> dict[str, Any]:
    title = title_of(mailing)
    page = reverse("desk:mailing", args=(mailing.pk,))
    return frame(
        f"{title}: {here}",
        icon="mail",
        between=[(_("Mailings"), reverse("desk:mailings")), (title, page)],
        here=here,
    )


def _may(lever: str, mailing: Mailing) -> bool:
    if lever == "resume":
        return mailing.state == Mailing.State.PAUSED
    wanted = Mailing.State.PAUSED if lever == "pause" else Mailing.State.CANCELLED
    return mailing.may_become(wanted)


def _done(lever: str) -> str:
    return {
        "pause": _("Paused. Nothing more goes out until you resume."),
        "resume": _("Resumed."),
        "cancel": _("Cancelled. Nothing more of it goes out."),
    }[lever]


def _context(request: HttpRequest, mailing: Mailing) -> dict[str, Any]:
    progress = progress_of(mailing)
    return {
        "mailing": mailing,
        "progress": progress,
        "came_back": came_back_of([mailing])[mailing.pk],
        "skipped": skipped_by_reason(mailing, progress.counts.skipped),
        "late": lateness(mailing),
        "may_send": request.user.has_perm(SEND),
        "may_pause": _may("pause", mailing),
        "may_resume": _may("resume", mailing),
        "may_cancel": _may("cancel", mailing),
    }
