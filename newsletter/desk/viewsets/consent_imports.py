"""Bringing readers in from a file: tried out first, then with the very same file for good."""

from hashlib import sha256
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from newsletter.catalogue.models import Newsletter
from newsletter.desk import access_log
from newsletter.desk.access import IMPORT_READERS, require_all
from newsletter.desk.models import AccessEntry, User
from newsletter.desk.security import session
from newsletter.desk.security.forms import ReasonForm
from newsletter.desk.viewsets.consent_texts import header
from signup.consent import importing

_SALT = "desk.consent_imports"
_TRIED_LASTS = 3_600  # seconds


class ImportForm(ReasonForm):
    newsletter = forms.ModelChoiceField(
        label=gettext_lazy("Newsletter"),
        queryset=Newsletter.objects.none(),
        help_text=gettext_lazy("Digests and sensitive newsletters take nobody in this way."),
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "First line: address, basis, date, evidence, where, language. The basis is imported or "
            "soft_opt_in."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    field_order = ("newsletter", "file", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain = Newsletter.objects.filter(sensitive=False).exclude(kind=Newsletter.Kind.DIGEST)
        self.fields["newsletter"].queryset = plain.order_by("name")  # type: ignore[attr-defined]

    def clean_file(self) -> str:
        """Return the text: the file itself is kept nowhere."""
        uploaded = self.cleaned_data["file"]
        if uploaded.size > importing.MOST_OCTETS:
            raise ValidationError(_("The file is too large."))
        try:
            return str(uploaded.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValidationError(_("Save the file as UTF-8.")) from None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def import_readers(request: HttpRequest) -> HttpResponse:
    """GET asks for the file. POST tries it out, or does it with a file that was tried out."""
    user = require_all(request, IMPORT_READERS)
    return _import(request, user=user)


@session.fresh
def _import(request: HttpRequest, *, user: User) -> HttpResponse:
    if request.method != "POST":
        return _page(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    text, newsletter = form.cleaned_data["file"], form.cleaned_data["newsletter"]
    proof = _proof(text, newsletter, user)
    really = request.POST.get("do") == "import"
    if really and not _was_tried(request.POST.get("tried", ""), proof):
        form.add_error("file", _("Try out this very file first, for this newsletter."))
        return _page(request, form)
    if really:
        # First the line, then the deed. Each reader is taken in for good by itself.
        access_log.write(
            by=user,
            action=AccessEntry.Action.IMPORTED,
            reason=form.cleaned_data["reason"],
            detail=f"newsletter {newsletter.slug}",
        )
    try:
        report = importing.run(
            text=text, newsletter=newsletter, by=f"account {user.pk}", dry=not really
        )
    except importing.BadFile as error:
        form.add_error("file", str(error))
        return _page(request, form)
    tried = "" if really else signing.dumps(proof, salt=_SALT)
    return _page(request, form, report=report, done=really, tried=tried)


def _proof(text: str, newsletter: Newsletter, user: User) -> str:
    return f"{user.pk}:{newsletter.pk}:{sha256(text.encode()).hexdigest()}"


def _was_tried(signed: str, proof: str) -> bool:
    try:
        return bool(signing.loads(signed, salt=_SALT, max_age=_TRIED_LASTS) == proof)
    except signing.BadSignature:
        return False


def _page(
    request: HttpRequest,
    form: ImportForm,
    *,
    report: importing.Report | None = None,
    done: bool = False,
    tried: str = "",
) -> HttpResponse:
    fates = importing.Fate
    return TemplateResponse(
        request,
        "desk/consent_import.html",
        {
            "form": form,
            "report": report,
            "done": done,
            "tried": tried,
            "taken": report.count(fates.TAKEN) if report else 0,
            "already": report.count(fates.ALREADY) if report else 0,
            "refused": [o for o in report.outcomes if o.fate is fates.REFUSED] if report else [],
            **header(_("Bring readers in"), _("Consent"), "desk:consent"),
        },
        status=422 if form.errors else 200,
    )
