"""What is asked of staff who sign in."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from newsletter.desk.access_log import names_address

_CODE = {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}


class SecondForm(forms.Form):
    """The second step: six digits of the app, or a recovery code in the same box."""

    code = forms.CharField(
        label=_("Code"),
        max_length=60,
        widget=forms.TextInput(attrs={**_CODE, "inputmode": "text", "spellcheck": "false"}),
        error_messages={"required": _("Enter the code.")},
    )

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class SetUpForm(forms.Form):
    """`secret` as from factor.new_secret; `code` proves that the app has it."""

    secret = forms.CharField(widget=forms.HiddenInput, max_length=400)
    code = forms.CharField(
        label=_("Code from the app"),
        help_text=_("Six digits."),
        max_length=20,
        widget=forms.TextInput(attrs={**_CODE, "size": "8"}),
        error_messages={"required": _("Enter the code that the app shows.")},
    )

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class ProveForm(forms.Form):
    """Password, and the second factor where the account has one."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        error_messages={"required": _("Enter your password.")},
    )
    code = forms.CharField(
        label=_("Code from your authenticator app"),
        help_text=_("A code works once. Have you just used this one? Wait for the next."),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "size": "8"}
        ),
        error_messages={"required": _("Enter the code that the app shows.")},
    )

    def __init__(self, *args: Any, with_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_code:
            del self.fields["code"]

    def clean_code(self) -> str:
        return "".join(str(self.cleaned_data["code"]).split())


class ReasonForm(forms.Form):
    """Why something is done that is written down."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It is kept with your name. Do not write anybody's e-mail address here."),
        min_length=5,
        max_length=300,
        widget=forms.TextInput,
        error_messages={
            "required": _("Say why."),
            "min_length": _("Say why, in a few words."),
        },
    )

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"])
        if names_address(reason):
            raise ValidationError(_("Leave the address out: what stands here outlives an erasure."))
        return reason
