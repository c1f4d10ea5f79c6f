"""Taking out everything about one reader, and erasing one: with a reason, and proven anew."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from newsletter.desk import access_log
from newsletter.desk.access import (
    ERASE_READER,
    EXPORT_READER,
    VIEW_CONDITIONS,
    VIEW_READERS,
    require_all,
)
from newsletter.desk.models import AccessEntry, User
from newsletter.desk.readers.forms import EraseForm
from newsletter.desk.readers.views import header
from newsletter.desk.security import session
from newsletter.desk.security.forms import ReasonForm
from signup.models import ConsentEntry, Subscriber
from signup.privacy.erase import erase
from signup.privacy.parcel import parcel

_METHODS = ["GET", "HEAD", "POST"]


@never_cache
@require_http_methods(_METHODS)
def export_reader(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks why; POST writes that down and hands out the file."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS, EXPORT_READER)
    return _export(request, user=user, subscriber=get_object_or_404(Subscriber, pk=pk))


@session.fresh
def _export(request: HttpRequest, *, user: User, subscriber: Subscriber) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "export", subscriber, form)
    with transaction.atomic():
        # First the line, then the look: what could not be written down is not handed out.
        access_log.write(
            by=user,
            action=AccessEntry.Action.EXPORTED,
            subscriber=subscriber,
            reason=form.cleaned_data["reason"],
        )
        content = parcel(subscriber=subscriber)
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="reader-{subscriber.pk}.zip"'
    return answer


@never_cache
@require_http_methods(_METHODS)
def erase_reader(request: HttpRequest, pk: int) -> HttpResponse:
    """GET explains and asks; POST erases in every station, or nowhere."""
    user = require_all(request, VIEW_READERS, ERASE_READER)
    return _erase(request, user=user, subscriber=get_object_or_404(Subscriber, pk=pk))


@session.fresh
def _erase(request: HttpRequest, *, user: User, subscriber: Subscriber) -> HttpResponse:
    form = EraseForm(request.POST or None, pk=subscriber.pk)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "erase", subscriber, form)
    with transaction.atomic():
        done = erase(
            subscriber=subscriber, method=ConsentEntry.Method.STAFF, source=f"staff {user.pk}"
        )
        if done:
            access_log.write(
                by=user,
                action=AccessEntry.Action.ERASED,
                subscriber=subscriber,
                reason=form.cleaned_data["reason"],
            )
    say: Callable[..., None] = messages.success if done else messages.info
    say(
        request,
        _("Erased. The address is kept as a hash only, so that nobody brings it back.")
        if done
        else _("This reader was erased before. Nothing was left to do."),
    )
    return redirect("desk:reader", subscriber.pk)


def _page(
    request: HttpRequest, deed: str, subscriber: Subscriber, form: ReasonForm
) -> HttpResponse:
    title = _("Export reader %d") if deed == "export" else _("Erase reader %d")
    return TemplateResponse(
        request,
        f"desk/readers/{deed}.html",
        {
            "form": form,
            "subscriber": subscriber,
            **header(title % subscriber.pk, parent=("desk:readers", _("Readers"))),
        },
        status=422 if form.errors else 200,
    )
