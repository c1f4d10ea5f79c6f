"""Asking readers anew, and how long consent lasts."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from newsletter.catalogue.models import Newsletter
from newsletter.desk.access import require_any
from newsletter.desk.viewsets.consent_forms import RenewalForm, TermForm
from newsletter.desk.viewsets.consent_texts import header
from signup.consent import renewal
from signup.models import ConsentTerm, Renewal

ASK = "signup.add_renewal"
_METHODS = ["GET", "HEAD", "POST"]
SHOWN = 20


@require_http_methods(_METHODS)
def renewals(request: HttpRequest) -> HttpResponse:
    """GET: the campaigns, and a form for the next one. POST begins it."""
    user = require_any(request, ASK)
    form = RenewalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            renewal.begin(**form.cleaned_data, by=user.username)
        except renewal.CannotRenew as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Begun. The mails go out over the next minutes and hours."))
            return redirect("desk:renewals")
    found = Renewal.objects.select_related("newsletter").order_by("-pk")[:SHOWN]
    return TemplateResponse(
        request,
        "desk/consent_renewals.html",
        {
            "form": form,
            "rows": [(row, renewal.counts(row)) for row in found],
            **header(_("Ask anew"), _("Consent"), "desk:consent"),
        },
        status=422 if form.errors else 200,
    )


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, ASK)
    if renewal.cancel(renewal=get_object_or_404(Renewal, pk=pk)):
        messages.success(request, _("Cancelled. Nobody is let go; what was answered stands."))
    else:
        messages.info(request, _("It was over already."))
    return redirect("desk:renewals")


@require_http_methods(_METHODS)
def term(request: HttpRequest, pk: int) -> HttpResponse:
    """How long consent to one newsletter lasts after its last mail."""
    require_any(request, ASK)
    newsletter = get_object_or_404(Newsletter, pk=pk)
    own = ConsentTerm.objects.filter(newsletter=newsletter).first()
    form = TermForm(request.POST or None, initial={"days": own.days if own else None})
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        if days is None:
            ConsentTerm.objects.filter(newsletter=newsletter).delete()
        else:
            ConsentTerm.objects.update_or_create(newsletter=newsletter, defaults={"days": days})
        messages.success(request, _("Saved."))
        return redirect("desk:consent")
    return TemplateResponse(
        request,
        "desk/consent_term.html",
        {
            "form": form,
            "newsletter": newsletter,
            **header(newsletter.name, _("Consent"), "desk:consent"),
        },
        status=422 if form.errors else 200,
    )
