"""What staff type on the pages about digests."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from newsletter.catalogue.models import Condition
from newsletter.editions.models import Article
from newsletter.sending.models import SafetyAlert


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
    corrects = forms.ModelChoiceField(
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
        field.label_from_instance = lambda alert: (
            f"{alert.article.title} ({alert.sent_at:%d.%m.%Y})"
        )  # type: ignore[method-assign]


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
