"""What staff are asked before a draft is shared, or seen as one reader gets it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from newsletter.desk.security.forms import ReasonForm
from newsletter.editions.models import DraftLink


class ShareForm(forms.Form):
    purpose = forms.CharField(
        label=_("For whom"),
        max_length=80,
        help_text=_("So that you know later which link to end."),
        error_messages={"required": _("Say whom the link is for.")},
    )
    days = forms.TypedChoiceField(
        label=_("It opens the draft for"),
        choices=DraftLink.Lasts.choices,
        coerce=int,
        initial=DraftLink.Lasts.WEEK,
    )


class AsReaderForm(ReasonForm):
    who = forms.CharField(
        label=_("Reader"),
        help_text=_("The whole e-mail address, or the reader's number."),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter an address or a number.")},
    )
    field_order = ("who", "reason")
