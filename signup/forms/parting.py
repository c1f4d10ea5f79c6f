"""Why somebody left: two fields, none of them needed."""

from django import forms

from signup.forms.guarded import ErrorSummary
from signup.models import Parting


class PartingForm(ErrorSummary, forms.Form):
    """Shown after the leaving is done, so that no question stands before it."""

    reason = forms.ChoiceField(choices=[("", ""), *Parting.Reason.choices], required=False)
    words = forms.CharField(max_length=Parting.LONGEST, required=False)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """(value, words) for the page's radio buttons."""
        return [(str(value), str(label)) for value, label in Parting.Reason.choices]

    @property
    def says_something(self) -> bool:
        return any(self.cleaned_data.values())
