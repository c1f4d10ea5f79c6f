"""Retiring a condition: asked first, then done, and its followers told."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from newsletter.catalogue.models import Condition
from newsletter.desk.access import CHANGE_CONDITION, require_all
from newsletter.desk.digests.forms import RetireForm
from newsletter.desk.digests.frame import FEWEST_SHOWN, header
from signup.retire import NotRetirable, retire


@require_http_methods(["GET", "HEAD", "POST"])
def retire_condition(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST does."""
    user = require_all(request, CHANGE_CONDITION)
    condition = get_object_or_404(Condition.objects.open(), pk=pk)
    form = RetireForm(request.POST if request.method == "POST" else None, condition=condition)
    if request.method == "POST" and form.is_valid():
        try:
            told = retire(condition=condition, offers=form.cleaned_data["offers"], by=user)
        except NotRetirable as refusal:
            messages.error(request, str(refusal))
        else:
            shown = f"{told:,}" if told >= FEWEST_SHOWN else _("fewer than ten")
            messages.success(
                request, _("Retired. Readers who are told: %(shown)s.") % {"shown": shown}
            )
        return redirect("desk:digest_conditions")
    between = [(_("Conditions"), reverse("desk:digest_conditions"))]
    return TemplateResponse(
        request,
        "desk/digests/retire.html",
        {
            "condition": condition,
            "form": form,
            **header(_("Retire %(name)s") % {"name": condition.name}, between),
        },
        status=422 if form.errors else 200,
    )
