"""For data protection: who looked at what, and what goes by itself."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.desk.access import VIEW_ACCESS_LOG, VIEW_READERS, require_all
from newsletter.desk.models import AccessEntry
from newsletter.desk.readers import form_counts, keeping
from newsletter.desk.readers.forms import LogForm
from newsletter.desk.readers.views import header
from signup.privacy.retention import KEEP

PER_PAGE = 100


@never_cache
@require_safe
def access_log(request: HttpRequest) -> HttpResponse:
    """The access log, newest first, a page at a time and never counted."""
    require_all(request, VIEW_ACCESS_LOG)
    form = LogForm(request.GET)
    rows = AccessEntry.objects.order_by("-pk")
    if form.is_valid():
        asked = form.cleaned_data
        if asked["action"]:
            rows = rows.filter(action=asked["action"])
        if asked["reader"]:
            rows = rows.filter(subscriber_id=asked["reader"])
        if asked["account"]:
            rows = rows.filter(actor_id=asked["account"])
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PER_PAGE + 1])
    kept = request.GET.copy()
    kept.pop("before", None)
    return TemplateResponse(
        request,
        "desk/readers/access_log.html",
        {
            "form": form,
            "rows": page[:PER_PAGE],
            "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
            "query": f"{kept.urlencode()}&" if kept else "",
            **header(_("Access to readers' data"), parent=("desk:readers", _("Readers"))),
        },
    )


@never_cache
@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    """How long each thing is kept, and how much of it goes tonight."""
    require_all(request, VIEW_READERS)
    return TemplateResponse(
        request,
        "desk/readers/retention.html",
        {
            "rules": keeping.report(),
            "most": keeping.MOST_COUNTED,
            **header(_("What is kept, and how long"), parent=("desk:readers", _("Readers"))),
        },
    )


@never_cache
@require_safe
def forms(request: HttpRequest) -> HttpResponse:
    """How many asked on which form, and confirmed. Nothing small together with a condition."""
    require_all(request, VIEW_READERS)
    return TemplateResponse(
        request,
        "desk/readers/form_counts.html",
        {
            "counts": form_counts.form_counts(),
            "days": KEEP.days,
            "small": form_counts.SMALL,
            **header(_("Sign-up forms"), parent=("desk:readers", _("Readers"))),
        },
    )
