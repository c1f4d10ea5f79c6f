"""What staff type on the way from a finished issue to a sent one."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.approval.preflight import Finding
from newsletter.approval.reasons import SHORTEST
from newsletter.catalogue.models.seeds import must_be_address
from newsletter.desk.models import User
from newsletter.desk.models.review_request import usual_due_date
from newsletter.desk.reviewers import reviewers
from newsletter.editions.models import Article, Issue

MOST_TEST_ADDRESSES = 5


class TestSendForm(forms.Form):
    """Addresses of staff accounts, and the newsletter's own seed list, which administrators keep:
    a draft about health goes to nobody else, and this form can never be used to mail a stranger."""

    # pytest would otherwise take it for a test.
    __test__ = False

    to = forms.CharField(
        label=gettext_lazy("Send a test to"),
        max_length=600,
        help_text=gettext_lazy("Addresses of staff accounts, up to five, with spaces between."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    seeds = forms.BooleanField(required=False)

    def __init__(self, *args: Any, seeds: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seeds = list(seeds)
        if not seeds:
            del self.fields["seeds"]
            return
        self.fields["seeds"].label = ngettext(
            "And to the newsletter's seed address",
            "And to the newsletter's %(n)d seed addresses",
            len(seeds),
        ) % {"n": len(seeds)}

    def addresses(self) -> list[str]:
        """Everybody whom the test goes to, each once."""
        also = self._seeds if self.cleaned_data.get("seeds") else []
        return list(dict.fromkeys([*self.cleaned_data["to"], *also]))

    def clean_to(self) -> list[str]:
        typed = [part for part in re.split(r"[\s,;]+", self.cleaned_data["to"]) if part]
        addresses = list(dict.fromkeys(typed))
        if not addresses:
            raise ValidationError(_("Write at least one address."))
        if len(addresses) > MOST_TEST_ADDRESSES:
            raise ValidationError(
                _("That are %(count)d addresses. A test goes to %(most)d at most."),
                params={"count": len(addresses), "most": MOST_TEST_ADDRESSES},
            )
        staff = {
            email.casefold(): email
            for email in User.objects.filter(is_active=True)
            .exclude(email="")
            .values_list("email", flat=True)
        }
        for address in addresses:
            must_be_address(address)
            if address.casefold() not in staff:
                raise ValidationError(
                    _("“%(address)s” belongs to no staff account. Tests go to staff only."),
                    params={"address": address},
                )
        return [staff[address.casefold()] for address in addresses]


class AskForm(forms.Form):
    """Whom the author asks for a review, and by when."""

    reviewer = forms.ModelChoiceField(
        label=gettext_lazy("Who is asked"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("Every medical reviewer"),
    )
    due_on = forms.DateField(
        label=gettext_lazy("Due on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, by: User, about: Issue | Article, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = reviewers(about).exclude(pk=by.pk)  # type: ignore[attr-defined]
        self.fields["due_on"].initial = usual_due_date()

    def clean_due_on(self) -> date:
        due_on: date = self.cleaned_data["due_on"] or usual_due_date()
        if due_on < timezone.localdate():
            raise ValidationError(_("That day has passed. Choose one that is still to come."))
        return due_on


class ReasonsForm(forms.Form):
    """A written reason for each warning that has come up since the approval."""

    def __init__(self, *args: Any, warnings: Sequence[Finding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for finding in warnings:
            self.fields[f"reason-{finding.key}"] = forms.CharField(
                label=gettext_lazy("Why it is all right"),
                min_length=SHORTEST,
                max_length=500,
            )
        self.warnings = [(finding, self[f"reason-{finding.key}"]) for finding in warnings]

    def given(self) -> dict[str, str]:
        return {name.removeprefix("reason-"): value for name, value in self.cleaned_data.items()}
