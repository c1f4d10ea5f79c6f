"""Whom a breach touches: asked with a reason, proven anew, written down, and never remembered."""

import csv
import io
from collections.abc import Iterator

from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from newsletter.desk import access_log
from newsletter.desk.access import EXPORT_READER, VIEW_CONDITIONS, VIEW_READERS, require_all
from newsletter.desk.models import AccessEntry, User
from newsletter.desk.readers import breach
from newsletter.desk.readers.forms import BreachForm
from newsletter.desk.readers.views import header
from newsletter.desk.security import session

_COLUMNS = ("number", "address", "language", "country", "follows_conditions", "never_mail")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def breach_query(request: HttpRequest) -> HttpResponseBase:
    """GET asks what lay open; POST writes that down and counts, or hands out whom to tell."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS, EXPORT_READER)
    return _ask(request, user=user)


@session.fresh
def _ask(request: HttpRequest, *, user: User) -> HttpResponse:
    form = BreachForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, status=422 if form.errors else 200)
    listed = request.POST.get("form") == "csv"
    deed = AccessEntry.Action.BREACH_LISTED if listed else AccessEntry.Action.BREACH_ASKED
    with transaction.atomic():
        # First the line, then the look: what could not be written down is not shown.
        access_log.write(
            by=user, action=deed, detail=form.in_words(), reason=form.cleaned_data["reason"]
        )
    if not listed:
        return _page(request, form, found=breach.touched(form.asked()))
    # A million lines are handed out as they are read.
    answer = StreamingHttpResponse(_as_csv(form.asked()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="to-be-told.csv"'
    return answer  # type: ignore[return-value]


def _as_csv(asked: breach.Breach) -> Iterator[str]:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    # The mark at the beginning tells spreadsheets that this is UTF-8.
    out.write("\ufeff")
    writer.writerow(_COLUMNS)
    for person in breach.to_be_told(asked):
        writer.writerow(
            (
                person.number,
                # An address may begin with a sign that a spreadsheet would calculate with.
                f"'{person.email}" if person.email[:1] in "=+-@" else person.email,
                person.language,
                person.country,
                "yes" if person.follows_conditions else "",
                "yes" if person.never_mail else "",
            )
        )
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _page(
    request: HttpRequest,
    form: BreachForm,
    *,
    found: breach.Touched | None = None,
    status: int = 200,
) -> HttpResponse:
    return TemplateResponse(
        request,
        "desk/readers/breach.html",
        {
            "form": form,
            "found": found,
            **header(_("Whom a breach touches"), parent=("desk:readers", _("Readers"))),
        },
        status=status,
    )
