"""What administrators say of a member of staff."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models import User
from newsletter.desk.models.limits import limits_of


class PersonForm(forms.Form):
    """Name, address, roles and limits of one person.

    `me` is who fills it in: nobody changes their own roles or limits.
    """

    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=150)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=150)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("At work. Mail about reviews and a new password goes there."),
        max_length=150,  # it becomes the account's name
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    groups = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Roles"),
        queryset=Group.objects.order_by("name"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one role.")},
    )
    newsletters = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these newsletters"),
        help_text=gettext_lazy("Nothing ticked: all of them."),
        queryset=Newsletter.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    conditions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only these conditions"),
        help_text=gettext_lazy(
            "Nothing ticked: all of them. An article about any other condition is out of reach."
        ),
        queryset=Condition.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    RIGHTS = ("groups", "newsletters", "conditions")

    def __init__(self, *args: Any, me: User, person: User | None = None, **kwargs: Any) -> None:
        if person is not None:
            limits = limits_of(person)
            kwargs.setdefault(
                "initial",
                {
                    "first_name": person.first_name,
                    "last_name": person.last_name,
                    "email": person.email,
                    "groups": person.groups.all(),
                    "newsletters": limits.newsletters or (),
                    "conditions": limits.conditions or (),
                },
            )
        super().__init__(*args, **kwargs)
        self.person = person
        if person is not None and person.pk == me.pk:
            for name in self.RIGHTS:
                del self.fields[name]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        others = User.objects.all()
        if self.person is not None:
            others = others.exclude(pk=self.person.pk)
        taken = others.filter(email__iexact=email).exists()
        if self.person is None:
            taken = taken or others.filter(username__iexact=email).exists()
        if taken:
            raise ValidationError(_("Somebody here has that address already."))
        return email


class SuccessorChoice(forms.ModelChoiceField[User]):
    def label_from_instance(self, user: Any) -> str:
        return user.get_full_name() or str(user.get_username())


class LeaveForm(forms.Form):
    """Who takes over. Must be somebody when drafts would be left lying."""

    successor = SuccessorChoice(
        label=gettext_lazy("Who takes over"),
        help_text=gettext_lazy(
            "Gets the drafts. Gets the reviews too, if they may sign; if not, every reviewer does."
        ),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Nobody"),
        error_messages={"required": gettext_lazy("Choose who takes the drafts over.")},
    )

    def __init__(self, *args: Any, person: User, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        field.queryset = (  # type: ignore[attr-defined]
            User.objects.filter(is_active=True)
            .exclude(pk=person.pk)
            .order_by("last_name", "username")
        )
        field.required = needed
        if needed:
            field.empty_label = _("Choose …")  # type: ignore[attr-defined]
