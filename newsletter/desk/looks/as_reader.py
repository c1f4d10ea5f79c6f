"""An issue as one reader gets it: with their name, in the form they chose, with the parts that
only they and others who follow the same get. It tells what the reader follows, so it takes the
permission for that, a reason, and a line in the access log."""

from datetime import datetime, timedelta

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.desk import access_log
from newsletter.desk.access import VIEW_CONDITIONS, VIEW_READERS, require_all
from newsletter.desk.frame import frame
from newsletter.desk.looks.forms import AsReaderForm
from newsletter.desk.models import AccessEntry
from newsletter.desk.readers.finding import by_address_or_number
from newsletter.editions.models import Issue
from newsletter.editions.models.preview import contained
from newsletter.rendering import preview
from signup.address import BadAddress
from signup.models import Follow, Subscriber

# How long one said reason lets somebody look at one reader's copy of one issue.
LASTS = timedelta(minutes=15)
_OPENED = "desk_as_reader"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask who and why; write it down; then show the copy for a quarter of an hour."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS)
    issue = get_object_or_404(Issue, pk=pk)
    form = AsReaderForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            reader = by_address_or_number(form.cleaned_data["who"])
        except BadAddress as error:
            form.add_error("who", str(error))
        else:
            if reader is not None:
                with transaction.atomic():
                    access_log.write(
                        by=user,
                        action=AccessEntry.Action.MAIL_SEEN,
                        reason=form.cleaned_data["reason"],
                        subscriber=reader,
                        detail=f"issue {issue.pk}",
                    )
                until = (timezone.now() + LASTS).isoformat()
                request.session[_OPENED] = {"issue": pk, "reader": reader.pk, "until": until}
                return redirect("desk:as_reader", pk)
            form.add_error("who", _("We know no reader by that address or number."))
    opened = _opened(request, issue)
    context = {
        "issue": issue,
        "form": form,
        "reader": opened,
        **frame(
            _("As a reader gets it"),
            icon="view",
            between=[(str(issue), reverse("desk:looks", args=["issue", pk]))],
            here=_("As a reader"),
        ),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "desk/looks/as_reader.html", context, status=status)


@never_cache
@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    require_all(request, VIEW_READERS, VIEW_CONDITIONS)
    issue = get_object_or_404(Issue, pk=pk)
    reader = _opened(request, issue)
    if reader is None or form not in {"html", "text"}:
        raise Http404
    follows = Follow.objects.filter(subscriber=reader, paused_at__isnull=True)
    example = preview.Example(
        reader.first_name, frozenset(follows.values_list("condition_id", flat=True))
    )
    newest: Issue = issue.get_latest_revision_as_object()
    if form == "text":
        return contained(preview.issue_text(newest, example), "text/plain")
    return contained(preview.issue_html(newest, reader=example), "text/html")


def _opened(request: HttpRequest, issue: Issue) -> Subscriber | None:
    """Return the reader whose copy of this issue this member of staff has opened, if any."""
    opened = request.session.get(_OPENED)
    if not opened or opened["issue"] != issue.pk:
        return None
    if datetime.fromisoformat(opened["until"]) < timezone.now():
        return None
    return Subscriber.objects.filter(pk=opened["reader"]).first()
