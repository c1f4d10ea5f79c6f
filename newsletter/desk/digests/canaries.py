"""The page of the watched digests."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.desk.access import CHANGE_NEWSLETTER, SEND, VIEW_MAILING, require_all, require_any
from newsletter.desk.digests.canary import look, words_for
from newsletter.desk.digests.forms import CanaryForm
from newsletter.desk.digests.frame import header
from newsletter.desk.models import DigestCanary


@require_http_methods(["GET", "HEAD", "POST"])
def canaries(request: HttpRequest) -> HttpResponse:
    """See them, and watch one's own subscription."""
    user = require_any(request, SEND, VIEW_MAILING, CHANGE_NEWSLETTER)
    form = CanaryForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST":
        require_all(request, CHANGE_NEWSLETTER)
        if form.is_valid():
            DigestCanary.objects.get_or_create(subscription=form.cleaned_data["subscription"])
            messages.success(request, _("Watched. You are told when its digest does not come."))
            return redirect("desk:canaries")
    now = timezone.now()
    found = DigestCanary.objects.select_related("subscription__newsletter").order_by("pk")
    return TemplateResponse(
        request,
        "desk/digests/canaries.html",
        {
            "rows": [
                (canary, words_for(trouble) if (trouble := look(canary, now)) else "")
                for canary in found
            ],
            "form": form,
            "may_change": user.has_perm(CHANGE_NEWSLETTER),
            **header(_("Watched digests")),
        },
        status=422 if form.errors else 200,
    )


@require_POST
def drop_canary(request: HttpRequest, pk: int) -> HttpResponse:
    require_all(request, CHANGE_NEWSLETTER)
    get_object_or_404(DigestCanary, pk=pk).delete()
    messages.success(request, _("Watched no more. The subscription itself goes on."))
    return redirect("desk:canaries")
