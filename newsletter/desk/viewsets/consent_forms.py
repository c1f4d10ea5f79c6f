"""What data protection types: wordings, terms, and why readers are asked anew."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.models import Newsletter
from signup.consent import renewal

LONGEST_WORDING = 600


class WordingForm(forms.Form):
    wording = forms.CharField(
        label=_("Wording"),
        max_length=LONGEST_WORDING,
        help_text=_("What stands beside the box. Short and plain: it is read on a phone."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class RenewalForm(forms.Form):
    newsletter = forms.ModelChoiceField(label=_("Newsletter"), queryset=Newsletter.objects.none())
    answer_by = forms.DateField(
        label=_("Answer by"),
        help_text=_("The end of that day. Give readers 7 to 90 days."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("Kept with the campaign. Readers do not see it."),
        widget=forms.TextInput(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["newsletter"].queryset = Newsletter.objects.order_by("name")  # type: ignore[attr-defined]
        usual = timezone.localdate() + timedelta(days=30)
        self.fields["answer_by"].initial = usual

    def clean_answer_by(self) -> datetime:
        """The end of the day by the clock of the house."""
        day = self.cleaned_data["answer_by"] + timedelta(days=1)
        moment = timezone.make_aware(datetime.combine(day, time.min))
        now = timezone.now()
        if not now + renewal.SHORTEST <= moment <= now + renewal.LONGEST:
            raise forms.ValidationError(_("Choose a day 7 to 90 days from now."))
        return moment


class TermForm(forms.Form):
    days = forms.IntegerField(
        label=_("Days after the last mail"),
        min_value=0,
        required=False,
        validators=[MaxValueValidator(3660)],
        help_text=_("0: it never expires by itself. Empty: as everywhere."),
    )
