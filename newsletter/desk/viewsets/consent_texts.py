"""The wordings of consent at the desk: what is shown, what is drafted, what was shown before."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.catalogue.models import Newsletter
from newsletter.desk.access import require_any
from newsletter.desk.frame import frame
from newsletter.desk.viewsets.consent_forms import WordingForm
from signup.consent import expiry, seals, texts
from signup.models import ConsentText, LedgerSeal, Renewal

WORDINGS = "signup.change_consenttext"
SEALS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One purpose in one language."""

    purpose: ConsentText.Purpose
    shown: ConsentText | None
    draft: ConsentText | None


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    offered: bool
    rows: list[Row]


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Wordings by language, how long consent lasts, campaigns, seals."""
    require_any(request, WORDINGS)
    return TemplateResponse(
        request,
        "desk/consent_overview.html",
        {
            "languages": _languages(),
            "terms": [
                (newsletter, expiry.term(newsletter)) for newsletter in Newsletter.objects.all()
            ],
            "open_renewals": Renewal.objects.filter(state=Renewal.State.OPEN).count(),
            "seals": LedgerSeal.objects.order_by("-number")[:SEALS_SHOWN],
            "seal_folder": seals.folder(),
            **header(_("Consent")),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def wording(request: HttpRequest, purpose: str, language: str) -> HttpResponse:
    """GET shows one wording with its history; POST writes its next draft. Nobody sees a draft."""
    user = require_any(request, WORDINGS)
    names = dict(settings.LANGUAGES)
    if purpose not in ConsentText.Purpose.values or language not in names:
        raise Http404
    versions = list(
        ConsentText.objects.filter(purpose=purpose, language=language.lower()).order_by("-version")
    )
    draft = next((text for text in versions if text.is_draft), None)
    shown = next((text for text in versions if not text.is_draft), None)
    begun = draft or shown
    form = WordingForm(request.POST or None, initial={"wording": begun.wording if begun else ""})
    if request.method == "POST" and form.is_valid():
        try:
            texts.write_draft(
                purpose=ConsentText.Purpose(purpose),
                language=language.lower(),
                wording=form.cleaned_data["wording"],
                by=user.username,
            )
        except texts.NotADraft as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Kept as a draft. Read it once more, then approve it."))
        return redirect("desk:consent_wording", purpose, language)
    label = ConsentText.Purpose(purpose).label
    return TemplateResponse(
        request,
        "desk/consent_wording.html",
        {
            "form": form,
            "purpose": purpose,
            "language": language,
            "draft": draft,
            "shown": shown,
            "older": [text for text in versions if not text.is_draft and text is not shown],
            **header(f"{names[language]}: {label}", _("Consent"), "desk:consent"),
        },
        status=422 if form.errors else 200,
    )


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the draft to readers from now on; the form brings the words that were read."""
    user = require_any(request, WORDINGS)
    draft = get_object_or_404(ConsentText, pk=pk)
    try:
        texts.approve(text_id=pk, wording=request.POST.get("read", ""), by=user.username)
    except texts.NotADraft as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("Approved. Forms show it from now on; what was agreed to before stays as it was."),
        )
    return redirect("desk:consent_wording", draft.purpose, draft.language)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, WORDINGS)
    draft = get_object_or_404(ConsentText, pk=pk)
    try:
        texts.discard(text_id=pk)
    except texts.NotADraft as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The draft is gone."))
    return redirect("desk:consent_wording", draft.purpose, draft.language)


def header(title: str, parent: str = "", parent_name: str = "") -> dict[str, object]:
    """The frame of a page about consent; `parent` are the words of the page above it."""
    above = [(parent, reverse(parent_name))] if parent else []
    return frame(title, icon="doc-full", between=above)


def _languages() -> list[Language]:
    shown: dict[tuple[str, str], ConsentText] = {}
    drafts: dict[tuple[str, str], ConsentText] = {}
    for text in ConsentText.objects.order_by("version"):
        (drafts if text.is_draft else shown)[text.language, text.purpose] = text
    offered = texts.languages_offered()
    return [
        Language(
            code,
            name,
            code in offered,
            [
                Row(
                    purpose,
                    shown.get((code.lower(), purpose.value)),
                    drafts.get((code.lower(), purpose.value)),
                )
                for purpose in ConsentText.Purpose
            ],
        )
        for code, name in settings.LANGUAGES
    ]
