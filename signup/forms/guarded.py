"""What every form of ours shares: the address, the token, the trap, the summary of errors."""

import re
import unicodedata
from collections.abc import Iterator

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from signup import guard
from signup.address import Address, BadAddress, normalise
from signup.forms import typos

NAME_AT_MOST = 60
_LINK = re.compile(r"://|www\.|[@/\\<>{}\[\]]|\.\w{2,}", re.IGNORECASE)


def clean_name(typed: str) -> str:
    """Return a name that can greet somebody, or raise ValidationError.

    A field that is read out in a mail is where spam would like to stand: no links, no line
    breaks, nothing invisible, and not long.
    """
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(name) > NAME_AT_MOST:
        raise ValidationError(_("Enter a name of at most %d characters.") % NAME_AT_MOST)
    if _LINK.search(name) or any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in name):
        raise ValidationError(_("Enter your first name only, without links or symbols."))
    if any(unicodedata.category(c) == "Co" for c in name):
        raise ValidationError(_("Enter your first name only, without links or symbols."))
    return name


class ErrorSummary:
    """For forms of our own templates: errors as (id of the field, message), in reading order."""

    def summary(self) -> Iterator[tuple[str, str]]:
        assert isinstance(self, forms.Form)
        order = ["__all__", *self.fields]
        for name in sorted(self.errors, key=order.index):
            for message in self.errors[name]:
                yield ("form" if name == "__all__" else f"id_{name}"), str(message)


class GuardedForm(ErrorSummary, forms.Form):
    """A form that anybody may send: an address, and what the guard looks at."""

    # Long enough that a pasted "Ada <ada@…>" reaches normalise, short enough to stay cheap.
    email = forms.CharField(max_length=600, required=False)
    form_token = forms.CharField(max_length=200, required=False)
    # The trap: no person sees it. Named like nothing that a browser would fill in.
    nickname_2 = forms.CharField(max_length=1000, required=False)

    @property
    def address(self) -> Address:
        """The address that was typed, once the form is valid."""
        address: Address = self.cleaned_data["email"]
        return address

    @property
    def suggestion(self) -> str | None:
        """The address that was probably meant, beside a form that is shown again anyway."""
        return typos.suggestion(str(self.data.get("email", ""))) if self.is_bound else None

    @property
    def known_domains(self) -> str:
        """What the script compares with while somebody types."""
        return " ".join(typos.DOMAINS)

    @property
    def token(self) -> guard.FormToken | None:
        return guard.read_form_token(str(self.data.get("form_token", "")))

    @property
    def trap(self) -> str:
        return str(self.data.get("nickname_2", ""))

    @property
    def proof(self) -> str:
        """What static/js/proof-of-work.js filled in; empty where no script runs."""
        return str(self.data.get("proof_of_work", ""))

    def clean_email(self) -> Address:
        try:
            return normalise(self.cleaned_data["email"])
        except BadAddress as error:
            raise ValidationError(str(error)) from error


class AddressForm(GuardedForm):
    """One address: who asks for a fresh link to the preferences."""

    @property
    def fresh_token(self) -> str:
        return guard.form_token(guard.Place.PREFERENCES_PAGE, {})
