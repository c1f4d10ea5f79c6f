"""The proof of one reader's consent: with a reason, proven anew, written down, printable."""

import json

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from newsletter.desk import access_log
from newsletter.desk.access import EXPORT_READER, VIEW_CONDITIONS, VIEW_READERS, require_all
from newsletter.desk.models import AccessEntry, User
from newsletter.desk.security import session
from newsletter.desk.security.forms import ReasonForm
from newsletter.desk.viewsets.consent_texts import header
from signup.consent import proof as proofs
from signup.models import Subscriber


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks why; POST writes that down and shows the proof, or hands it out as JSON."""
    user = require_all(request, VIEW_READERS, VIEW_CONDITIONS, EXPORT_READER)
    return _proof(request, user=user, subscriber=get_object_or_404(Subscriber, pk=pk))


@session.fresh
def _proof(request: HttpRequest, *, user: User, subscriber: Subscriber) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    frame = header(_("Proof of consent, reader %d") % subscriber.pk, _("Readers"), "desk:readers")
    asking = {"form": form, "subscriber": subscriber, **frame}
    if request.method != "POST" or not form.is_valid():
        return TemplateResponse(
            request, "desk/consent_proof_ask.html", asking, status=422 if form.errors else 200
        )
    try:
        with transaction.atomic():
            found = proofs.of_reader(subscriber)
            # What could not be written down is not shown.
            access_log.write(
                by=user,
                action=AccessEntry.Action.PROOF_SEEN,
                subscriber=subscriber,
                reason=form.cleaned_data["reason"],
            )
    except proofs.NoSuchChain:
        return TemplateResponse(
            request, "desk/consent_proof_ask.html", {**asking, "nothing": True}, status=404
        )
    if request.POST.get("form") == "json":
        answer = HttpResponse(
            json.dumps(proofs.as_json(found), indent=2, ensure_ascii=False),
            content_type="application/json",
        )
        answer["Content-Disposition"] = f'attachment; filename="consent-{subscriber.pk}.json"'
        return answer
    return TemplateResponse(
        request,
        "desk/consent_proof.html",
        {"proof": found, "subscriber": subscriber, "reason": form.cleaned_data["reason"], **frame},
    )
