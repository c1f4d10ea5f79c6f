"""An article's way into the digests, and out of them again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.approval import release as releases
from newsletter.desk.access import APPROVE, SEND, require_any
from newsletter.editions.models import Article


@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, APPROVE, SEND)
    article = get_object_or_404(Article, pk=pk)
    verb = releases.announce_again if "again" in request.POST else releases.release
    try:
        verb(article=article, by=user)
    except releases.NotReleasable as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("Released. It is in the next digest of those who follow its conditions.")
        )
    return redirect("desk:article", pk)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_any(request, APPROVE, SEND)
    article = get_object_or_404(Article, pk=pk)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Say why it is withdrawn. The reason is kept."))
        return redirect("desk:article", pk)
    try:
        releases.withdraw(article=article, by=user, reason=reason)
    except releases.NotReleased as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Withdrawn. Digests that have not gone out lose it."))
    return redirect("desk:article", pk)
