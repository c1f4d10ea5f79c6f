"""“I am away, and somebody else stands in for me.” Everyone says so for themselves."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from newsletter.desk.access import APPROVE, require_any
from newsletter.desk.frame import frame
from newsletter.desk.models import Absence, User
from newsletter.desk.reviewers import reviewers


class AbsenceForm(forms.ModelForm[Absence]):
    class Meta:
        model = Absence
        fields = ("deputy", "first_day", "last_day")
        labels = {
            "deputy": gettext_lazy("Who stands in"),
            "first_day": gettext_lazy("First day away"),
            "last_day": gettext_lazy("Last day away"),
        }
        widgets = {
            "first_day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "last_day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["deputy"].queryset = reviewers().exclude(pk=user.pk)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            raise ValidationError({"last_day": _("The last day comes after the first one.")})
        if last and last < timezone.localdate():
            raise ValidationError({"last_day": _("That day has passed.")})
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def absence(request: HttpRequest) -> HttpResponse:
    user = require_any(request, APPROVE)
    standing = Absence.objects.filter(user=user).select_related("deputy").first()
    if request.method == "POST" and "back" in request.POST:
        Absence.objects.filter(user=user).delete()
        messages.success(request, _("You are back. What you are asked for comes to you again."))
        return redirect("desk:absence")
    form = AbsenceForm(
        request.POST if request.method == "POST" else None,
        user=user,
        instance=standing or Absence(user=user),
    )
    if request.method == "POST" and form.is_valid():
        row: Absence = form.save(commit=False)
        Absence.objects.update_or_create(
            user=user,
            defaults={
                "deputy": row.deputy,
                "first_day": row.first_day,
                "last_day": row.last_day,
            },
        )
        messages.success(
            request,
            _("%(deputy)s gets what you are asked for while you are away.")
            % {"deputy": row.deputy.get_full_name() or row.deputy.get_username()},
        )
        return redirect("desk:absence")
    context = {
        "form": form,
        "standing": standing,
        **frame(_("Away"), icon="user"),
    }
    return TemplateResponse(
        request, "desk/absence.html", context, status=422 if form.errors else 200
    )
