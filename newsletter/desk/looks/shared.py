"""A draft, read by whoever holds a link that still opens it. Read only, never stored."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsletter.desk.views.preview import mode_named
from newsletter.editions.models import Article, DraftLink, Issue
from signup.views.frame import personal

FORMS = ("html", "dark", "no-images", "text")


@personal
@require_safe
def draft(request: HttpRequest, token: str) -> HttpResponse:
    """The draft in a frame; one answer for links that ended, were revoked or never were."""
    link = DraftLink.opened_by(token)
    if link is None:
        return render(request, "desk/looks/shared_ended.html", status=410)
    shown = request.GET.get("as", "html")
    context = {
        "link": link,
        "thing": _newest(link),
        "token": token,
        "shown": shown if shown in FORMS else "html",
        "narrow": "narrow" in request.GET,
    }
    return render(request, "desk/looks/shared.html", context)


@personal
@require_safe
@xframe_options_sameorigin
def mail(request: HttpRequest, token: str, form: str) -> HttpResponse:
    link = DraftLink.opened_by(token)
    if link is None or form not in FORMS:
        raise Http404
    newest = _newest(link)
    return newest.serve_preview(request, mode_named(newest, form))


def _newest(link: DraftLink) -> Issue | Article:
    thing = link.thing
    assert isinstance(thing, Issue | Article)
    newest: Issue | Article = thing.get_latest_revision_as_object()
    return newest
