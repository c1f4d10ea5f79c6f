"""The mail as it stands, in a frame of its own on the way page."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsletter.desk.access import require_any
from newsletter.desk.views import way
from newsletter.editions.models import Article, Issue
from newsletter.editions.models.preview import HTML

KINDS: dict[str, tuple[type[Issue] | type[Article], tuple[str, ...]]] = {
    "issue": (Issue, way.IssueWay.readers),
    "article": (Article, way.ArticleWay.readers),
}


@require_safe
@xframe_options_sameorigin
def preview(request: HttpRequest, kind: str, pk: int, form: str) -> HttpResponse:
    if kind not in KINDS:
        raise Http404
    model, readers = KINDS[kind]
    require_any(request, *readers)
    thing = get_object_or_404(model, pk=pk)
    newest: Issue | Article = thing.get_latest_revision_as_object()
    return newest.serve_preview(request, mode_named(newest, form))


def mode_named(thing: Issue | Article, form: str) -> str:
    """Return the preview mode that an address calls `form`; the mail itself is called html."""
    mode = HTML if form == "html" else form
    if mode not in dict(thing.preview_modes):
        raise Http404
    return mode
