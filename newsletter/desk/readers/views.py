"""The readers' list and one reader's page."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk import access_log
from newsletter.desk.access import (
    ERASE_READER,
    EXPORT_READER,
    VIEW_ACCESS_LOG,
    VIEW_CONDITIONS,
    VIEW_READERS,
    require_all,
)
from newsletter.desk.frame import frame
from newsletter.desk.models import AccessEntry
from newsletter.desk.readers import basis, finding, timeline
from newsletter.desk.readers.forms import FindForm, ListingForm, NarrowForm
from newsletter.desk.security.forms import ReasonForm
from signup.address import BadAddress
from signup.models import Follow, Subscriber
from signup.suppress import is_suppressed

# How long one said reason lets somebody page through one list that tells of health.
LISTING_LASTS = timedelta(minutes=15)
_LISTING = "desk_listing"


@never_cache
@require_safe
def readers(request: HttpRequest) -> HttpResponse:
    """The newest readers, or those of one newsletter or state. Counts nothing."""
    require_all(request, VIEW_READERS)
    form = NarrowForm(request.GET)
    if not form.is_valid():
        form = NarrowForm({})
        form.is_valid()
    wanted = finding.Wanted(
        state=form.cleaned_data["state"], newsletter=form.cleaned_data["newsletter"]
    )
    return _list(request, wanted, narrow=form)


@never_cache
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """One reader by the whole address or the number."""
    require_all(request, VIEW_READERS)
    form = FindForm(request.POST)
    note = ""
    if form.is_valid():
        typed = form.cleaned_data["who"]
        try:
            subscriber = finding.by_address_or_number(typed)
        except BadAddress as error:
            form.add_error("who", str(error))
        else:
            if subscriber is not None:
                return redirect("desk:reader", subscriber.pk)
            note = _nobody(typed)
    return _list(request, finding.Wanted(), find=form, note=note, status=200 if note else 422)


@never_cache
@require_POST
def list_by_health(request: HttpRequest) -> HttpResponse:
    """Write down why, then open the list for a quarter of an hour."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS)
    form = ListingForm(request.POST)
    if not form.is_valid():
        return _list(request, finding.Wanted(), listing=form, status=422)
    condition, newsletter = form.cleaned_data["condition"], form.cleaned_data["newsletter"]
    parts = [
        f"condition {condition.slug}" if condition else "",
        f"newsletter {newsletter.slug}" if newsletter else "",
        form.cleaned_data["state"],
    ]
    access_log.write(
        by=user,
        action=AccessEntry.Action.LISTED,
        reason=form.cleaned_data["reason"],
        detail=", ".join(filter(None, parts)),
    )
    request.session[_LISTING] = {
        "condition": condition.pk if condition else None,
        "newsletter": newsletter.pk if newsletter else None,
        "state": form.cleaned_data["state"],
        "until": (timezone.now() + LISTING_LASTS).isoformat(),
    }
    return redirect("desk:readers_by_health")


@never_cache
@require_safe
def readers_by_health(request: HttpRequest) -> HttpResponse:
    """The list that was opened with a reason. What it is made of stands in the session alone."""
    require_all(request, VIEW_READERS, VIEW_CONDITIONS)
    opened = request.session.get(_LISTING)
    if not opened or timezone.now() > datetime.fromisoformat(opened["until"]):
        messages.info(request, _("That list is closed. Open it again with a reason."))
        return redirect("desk:readers")
    wanted = finding.Wanted(
        state=opened["state"],
        newsletter=Newsletter.objects.filter(pk=opened["newsletter"]).first(),
        condition=Condition.objects.filter(pk=opened["condition"]).first(),
    )
    if wanted.newsletter is None and wanted.condition is None:
        return redirect("desk:readers")
    return _list(request, wanted, opened=True)


@never_cache
@require_safe
def reader(request: HttpRequest, pk: int) -> HttpResponse:
    """One reader, without what tells of health."""
    require_all(request, VIEW_READERS)
    return _reader(request, get_object_or_404(Subscriber, pk=pk), look=ReasonForm())


@never_cache
@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down why, then show everything, this once."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS)
    subscriber = get_object_or_404(Subscriber, pk=pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _reader(request, subscriber, look=form, status=422)
    with transaction.atomic():
        access_log.write(
            by=user,
            action=AccessEntry.Action.CONDITIONS_SEEN,
            subscriber=subscriber,
            reason=form.cleaned_data["reason"],
        )
    return _reader(request, subscriber, look=None)


def _nobody(typed: str) -> str:
    if "@" in typed and is_suppressed(finding.key_of(typed)):
        return _("No reader has this address, and it is on the list of those never to be mailed.")
    return _("No reader has this address or number.")


def _list(
    request: HttpRequest,
    wanted: finding.Wanted,
    *,
    narrow: NarrowForm | None = None,
    find: FindForm | None = None,
    listing: ListingForm | None = None,
    note: str = "",
    opened: bool = False,
    status: int = 200,
) -> HttpResponse:
    may_see_conditions = request.user.has_perm(VIEW_CONDITIONS)
    if listing is None and may_see_conditions:
        listing = ListingForm(
            initial={
                "condition": wanted.condition,
                "newsletter": wanted.newsletter,
                "state": wanted.state,
            }
            if opened
            else None
        )
    page = finding.page_of(wanted, _place(request.GET))
    name = timeline.Naming(everything=False)
    rows = [
        (
            subscriber,
            [(name(each.newsletter), each) for each in subscriber.subscriptions.all()],
        )
        for subscriber in page.readers
    ]
    return TemplateResponse(
        request,
        "desk/readers/list.html",
        {
            "page": page,
            "rows": rows,
            "wanted": wanted,
            "opened": opened,
            "narrow": narrow or NarrowForm(),
            "find": find or FindForm(),
            "listing": listing,
            "note": note,
            "query": _query_without_place(request.GET),
            **header(_("Readers")),
        },
        status=status,
    )


def _reader(
    request: HttpRequest, subscriber: Subscriber, *, look: ReasonForm | None, status: int = 200
) -> HttpResponse:
    """`look` None: the reason was said, everything is shown."""
    everything = look is None
    user = request.user
    may_export = user.has_perms((EXPORT_READER, VIEW_CONDITIONS))
    name = timeline.Naming(everything)
    subscriptions = subscriber.subscriptions.select_related("newsletter").order_by("pk")
    follows = (
        Follow.objects.filter(subscriber=subscriber).select_related("condition").order_by("pk")
        if everything
        else None
    )
    return TemplateResponse(
        request,
        "desk/readers/reader.html",
        {
            "subscriber": subscriber,
            "suppressed": is_suppressed(subscriber.email_key) if subscriber.email_key else False,
            "subscriptions": [(name(row.newsletter), row) for row in subscriptions],
            "follows": follows,
            "everything": everything,
            "look": look if user.has_perm(VIEW_CONDITIONS) else None,
            "grounds": basis.grounds(subscriber, everything=everything),
            "proof_url": basis.proof_url(subscriber) if may_export else None,
            "moments": timeline.timeline(subscriber, everything=everything),
            "may_export": may_export,
            "may_erase": user.has_perm(ERASE_READER),
            "may_see_log": user.has_perm(VIEW_ACCESS_LOG),
            **header(_("Reader %d") % subscriber.pk, parent=("desk:readers", _("Readers"))),
        },
        status=status,
    )


def _place(query: QueryDict) -> finding.Place:
    """Numbers as they stand in the address line; what is none is as good as not there."""
    numbers = {
        name: int(value)
        for name in ("before", "after")
        if (value := query.get(name, "")).isascii() and value.isdigit() and len(value) <= 18
    }
    return finding.Place(numbers.get("before"), numbers.get("after"))


def _query_without_place(query: QueryDict) -> str:
    kept = query.copy()
    for name in ("before", "after"):
        kept.pop(name, None)
    return f"{kept.urlencode()}&" if kept else ""


def header(title: str, *, parent: tuple[str, str] | None = None) -> dict[str, Any]:
    """The frame of a page about readers; `parent` are view name and words of the page above."""
    above = [] if parent is None else [(parent[1], reverse(parent[0]))]
    return frame(title, icon="group", between=above)
