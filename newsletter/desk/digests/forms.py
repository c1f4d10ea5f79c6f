"""What staff type on the pages about digests."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models import ReaderProfile, User
from newsletter.editions.models import Article
from newsletter.sending.models import SafetyAlert
from signup.forms.preferences import time_zones
from signup.models import Subscription


class _AlertField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not at run time
    def label_from_instance(self, obj: SafetyAlert) -> str:
        return f"{obj.article.title} ({date_format(obj.sent_at or obj.marked_at, 'j F Y')})"


class _SubscriptionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Subscription) -> str:
        return obj.newsletter.name


class MarkForm(forms.Form):
    """An article becomes a safety alert, or the correction of one."""

    kind = forms.ChoiceField(label=_("What it is about"), choices=SafetyAlert.Kind)
    advice = forms.CharField(
        label=_("What to do now"),
        help_text=_("One or two sentences. They stand first in the mail, in every language."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say what readers should do now.")},
    )
    corrects = _AlertField(
        label=_("It corrects"),
        help_text=_("A correction goes to those who had that alert, and to nobody else."),
        queryset=SafetyAlert.objects.none(),
        required=False,
        empty_label=_("nothing: it is a new alert"),
    )

    def __init__(self, *args: Any, article: Article, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["corrects"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = SafetyAlert.objects.sent().select_related("article").order_by("-pk")


class RetireForm(forms.Form):
    """What the followers of a retired condition are offered."""

    offers = forms.ModelChoiceField(
        label=_("Offer them instead"),
        help_text=_("Nobody follows it unless they choose to."),
        queryset=Condition.objects.none(),
        required=False,
        empty_label=_("nothing"),
    )

    def __init__(self, *args: Any, condition: Condition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["offers"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Condition.objects.open().exclude(pk=condition.pk)


class CanaryForm(forms.Form):
    """Which of one's own digest subscriptions is watched. Never a reader's: only by one's own
    address, so that this tells nothing about anybody else's."""

    subscription = _SubscriptionField(
        label=_("Your own subscription"),
        help_text=_("Sign up on the website with the address of your account, and follow much."),
        queryset=Subscription.objects.none(),
        empty_label=None,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["subscription"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = (
            Subscription.objects.live()
            .filter(
                newsletter__kind=Newsletter.Kind.DIGEST,
                subscriber__email_key=user.email.lower() or None,
                canary__isnull=True,
            )
            .select_related("newsletter")
        )


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """A made-up reader."""

    class Meta:
        model = ReaderProfile
        fields = [
            "name",
            "conditions",
            "cadence",
            "weekday",
            "hour",
            "timezone",
            "language",
            "text_only",
            "is_new",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        conditions = self.fields["conditions"]
        assert isinstance(conditions, forms.ModelMultipleChoiceField)
        conditions.queryset = Condition.objects.open()
        conditions.widget.attrs["size"] = 8
        choices: dict[str, Any] = {
            "weekday": list(WEEKDAYS.items()),
            "hour": [(hour, f"{hour:02d}:00") for hour in range(24)],
            "language": settings.LANGUAGES,
            "timezone": time_zones(),
        }
        for name, offered in choices.items():
            field = self.fields[name]
            self.fields[name] = forms.TypedChoiceField(
                label=field.label,
                choices=offered,
                coerce=int if name in ("weekday", "hour") else str,
                initial=field.initial,
            )


class WhenForm(forms.Form):
    """For when a digest is looked at; empty is now."""

    at = forms.DateTimeField(
        label=_("As of"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
