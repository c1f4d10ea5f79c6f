"""What staff type on the way from a finished issue to a sent one."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.models import User

MOST_TEST_ADDRESSES = 5


class TestSendForm(forms.Form):
    """Addresses of staff accounts only: a draft about health goes to nobody else, and this form
    can never be used to mail a stranger."""

    # pytest would otherwise take it for a test.
    __test__ = False

    to = forms.CharField(
        label=gettext_lazy("Send a test to"),
        max_length=600,
        help_text=gettext_lazy("Addresses of staff accounts, up to five, with spaces between."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

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
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(
                    _("“%(address)s” is no e-mail address. Look for a missing @ or a stray sign."),
                    params={"address": address},
                ) from None
            if address.casefold() not in staff:
                raise ValidationError(
                    _("“%(address)s” belongs to no staff account. Tests go to staff only."),
                    params={"address": address},
                )
        return [staff[address.casefold()] for address in addresses]


class ScheduleForm(forms.Form):
    send_at = forms.DateTimeField(
        label=gettext_lazy("Send at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Wagtail has switched to the zone in the member of staff's own account by now.
        self.fields["send_at"].help_text = _("By the clock in %(zone)s.") % {
            "zone": timezone.get_current_timezone_name()
        }

    def clean_send_at(self) -> datetime:
        send_at: datetime = self.cleaned_data["send_at"]
        if send_at < timezone.now():
            # The verb refuses it too, with a little tolerance; here is where it can be mended.
            raise ValidationError(_("That time has passed. Choose one that is still to come."))
        return send_at


class SendNowForm(forms.Form):
    """Confirms the very approval that the page showed."""

    approval = forms.IntegerField(widget=forms.HiddenInput)
