"""What staff ask of the readers' pages."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models import AccessEntry, User
from newsletter.desk.readers import breach
from newsletter.desk.security.forms import ReasonForm
from signup.models import Subscription

_ANY_STATE = [("", _("Any state")), *Subscription.State.choices]


class FindForm(forms.Form):
    """One reader. Sent by POST, so that no address stands in an address line or a log."""

    who = forms.CharField(
        label=_("Find one reader"),
        help_text=_("The whole e-mail address, or the reader's number."),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Enter an address or a number.")},
    )


class NarrowForm(forms.Form):
    """Which readers the list shows. Sensitive newsletters are asked for by `ListingForm`."""

    state = forms.ChoiceField(label=_("State"), choices=_ANY_STATE, required=False)
    newsletter = forms.ModelChoiceField(
        label=_("Newsletter"),
        queryset=Newsletter.objects.none(),
        required=False,
        empty_label=_("Any newsletter"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(Newsletter.objects.filter(sensitive=False))

    def _offer(self, newsletters: Any) -> None:
        self.fields["newsletter"].queryset = newsletters  # type: ignore[attr-defined]


class ListingForm(NarrowForm, ReasonForm):
    """A list that tells of health: by condition, or of a newsletter marked sensitive."""

    condition = forms.ModelChoiceField(
        label=_("Condition"),
        queryset=Condition.objects.none(),
        required=False,
        empty_label=_("Any condition"),
    )
    field_order = ("condition", "newsletter", "state", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(Newsletter.objects.all())
        conditions = Condition.objects.order_by("name")
        self.fields["condition"].queryset = conditions  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        newsletter = cleaned.get("newsletter")
        if not cleaned.get("condition") and not (newsletter and newsletter.sensitive):
            raise ValidationError(
                _("Choose a condition. For other lists use the filter above; no reason is needed.")
            )
        return cleaned


class EraseForm(ReasonForm):
    """Typing the number is the last chance to notice that it is the wrong reader."""

    number = forms.CharField(
        label=_("The reader's number"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": "8"}),
        error_messages={"required": _("Type the number that stands at the top of this page.")},
    )

    def __init__(self, *args: Any, pk: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pk = pk
        self.fields["number"].help_text = _("Type %(pk)d, to be sure it is the right one.") % {
            "pk": pk
        }

    def clean_number(self) -> str:
        typed = str(self.cleaned_data["number"]).strip().removeprefix("#")
        if typed != str(self.pk):
            raise ValidationError(_("That is not this reader's number."))
        return typed


class LogForm(forms.Form):
    """Which lines of the access log are shown."""

    action = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=[("", _("Anything")), *AccessEntry.Action.choices],
    )
    reader = forms.IntegerField(
        label=_("Reader's number"), required=False, min_value=1, max_value=2**63 - 1
    )
    account = forms.IntegerField(
        label=_("Account's number"), required=False, min_value=1, max_value=2**63 - 1
    )


class BreachForm(ReasonForm):
    """What lay open, and when: for the question whom to tell."""

    what = forms.ChoiceField(
        label=_("What lay open"),
        choices=[
            (breach.ALL, _("The whole database")),
            (breach.NEWSLETTER, _("One newsletter's list of readers")),
            (breach.MAILINGS, _("One newsletter's mails that went out")),
            (breach.EXPORTS, _("What staff exported of single readers")),
            (breach.ACCOUNT, _("What one member of staff looked at or took out")),
        ],
    )
    newsletter = forms.ModelChoiceField(
        label=_("Newsletter"),
        queryset=Newsletter.objects.none(),
        required=False,
        empty_label=_("None"),
    )
    account = forms.ModelChoiceField(
        label=_("Account"), queryset=User.objects.none(), required=False, empty_label=_("None")
    )
    since = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("what", "newsletter", "account", "since", "until", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newsletters = Newsletter.objects.order_by("name")
        self.fields["newsletter"].queryset = newsletters  # type: ignore[attr-defined]
        accounts = User.objects.order_by("username")
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        for name, ago in (("since", timedelta(days=3)), ("until", timedelta())):
            self.fields[name].initial = timezone.localtime() - ago

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("The end lies before the beginning."))
        what = cleaned.get("what")
        if what in (breach.NEWSLETTER, breach.MAILINGS) and not cleaned.get("newsletter"):
            self.add_error("newsletter", _("Choose which newsletter."))
        if what == breach.ACCOUNT and not cleaned.get("account"):
            self.add_error("account", _("Choose whose account."))
        return cleaned

    def asked(self) -> breach.Breach:
        cleaned = self.cleaned_data
        account = cleaned["account"]
        return breach.Breach(
            what=cleaned["what"],
            since=cleaned["since"],
            # The field knows minutes: the whole of the last one belongs to it.
            until=cleaned["until"].replace(second=59, microsecond=999_999),
            newsletter=cleaned["newsletter"],
            account=account.pk if account else None,
        )

    def in_words(self) -> str:
        """For the access log: what was asked, without anybody's name."""
        found = self.asked()
        parts = [
            found.what,
            f"newsletter {found.newsletter.slug}" if found.newsletter else "",
            f"account {found.account}" if found.account else "",
            f"{found.since:%Y-%m-%dT%H:%M} to {found.until:%Y-%m-%dT%H:%M}",
        ]
        return ", ".join(filter(None, parts))
