"""Links by which colleagues without an account read a draft."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.access import COMPOSE_ARTICLE, COMPOSE_ISSUE, require_any
from newsletter.desk.looks.forms import ShareForm
from newsletter.desk.looks.views import page, thing_of
from newsletter.editions.models import DraftLink, Issue


@require_POST
def share(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    user = require_any(request, COMPOSE_ISSUE if kind == "issue" else COMPOSE_ARTICLE)
    thing = thing_of(request, kind, pk)
    form = ShareForm(request.POST)
    if not form.is_valid():
        return page(request, kind, thing, form, status=422)
    DraftLink.objects.create(
        issue=thing if isinstance(thing, Issue) else None,
        article=None if isinstance(thing, Issue) else thing,
        purpose=form.cleaned_data["purpose"],
        created_by=user,
        expires_at=DraftLink.end_of(form.cleaned_data["days"]),
    )
    messages.success(request, _("The link is ready. Copy it and send it to your colleague."))
    return redirect("desk:looks", kind, pk)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """From now on the link opens nothing. Doing it twice changes nothing more."""
    link = get_object_or_404(DraftLink, pk=pk)
    kind = "issue" if link.issue_id else "article"
    require_any(request, COMPOSE_ISSUE if kind == "issue" else COMPOSE_ARTICLE)
    DraftLink.objects.open().filter(pk=pk).update(revoked_at=timezone.now())
    messages.success(request, _("The link opens nothing any more."))
    return redirect("desk:looks", kind, link.issue_id or link.article_id)
