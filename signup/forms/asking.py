"""The sign-up forms: what may be typed, and what is said when it is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import slug_re
from django.forms.utils import ErrorDict
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.archive import search
from newsletter.catalogue.models import Condition, Newsletter
from signup import guard, offered
from signup.consent import current_texts
from signup.forms.guarded import GuardedForm, clean_name
from signup.models import ConsentText, Subscription
from signup.subscribe import digest_newsletters, needs_health_consent

Purpose = ConsentText.Purpose

# More conditions than this are shown group by group, folded.
UNFOLDED_AT_MOST = 24
# With no more than these, eyes are faster than fingers.
SEARCHED_FROM = 8


class AskingForm(GuardedForm):
    """What every sign-up asks. Boxes are unticked; e-mail is the one field that must be filled."""

    first_name = forms.CharField(max_length=600, required=False)
    cadence = forms.ChoiceField(choices=Subscription.Cadence.choices, required=False)
    consent_mail = forms.BooleanField(required=False)
    consent_health = forms.BooleanField(required=False)
    consent_measurement = forms.BooleanField(required=False)

    place = guard.Place.SIGN_UP_PAGE

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.texts = self._texts_shown()

    @property
    def fresh_token(self) -> str:
        """The hidden field's value for the page that is about to be shown, with its wordings."""
        return guard.form_token(self.place, self.texts)

    @property
    def wording(self) -> dict[str, str]:
        return {purpose.value: text.wording for purpose, text in self.texts.items()}

    def clean_first_name(self) -> str:
        return clean_name(self.cleaned_data["first_name"])

    def clean_cadence(self) -> Subscription.Cadence:
        return Subscription.Cadence(self.cleaned_data["cadence"] or Subscription.Cadence.WEEKLY)

    def agreed(self) -> list[ConsentText]:
        """The exact wordings whose boxes were ticked."""
        return [
            self.texts[purpose]
            for purpose in Purpose
            if self.cleaned_data.get(f"consent_{purpose.value}")
        ]

    def require_mail_consent(self) -> None:
        if not self.cleaned_data.get("consent_mail"):
            self.add_error("consent_mail", _("Tick the box so that we may send you e-mail."))

    def require_health_consent(self) -> None:
        if not self.cleaned_data.get("consent_health"):
            self.add_error(
                "consent_health",
                _("Tick the box so that we may use the conditions you follow."),
            )

    def _texts_shown(self) -> dict[Purpose, ConsentText]:
        """The wordings that the sent form showed; for a new form, or a strange one, today's."""
        token = self.token if self.is_bound else None
        shown: dict[Purpose, ConsentText] = {}
        if token is not None:
            for text in offered.texts(token.text_ids):
                shown[Purpose(text.purpose)] = text
        if len(shown) == len(Purpose):
            return shown
        return current_texts(get_language() or settings.LANGUAGE_CODE) | shown


@dataclass
class Group:
    """One group of conditions on the sign-up page; each row is (condition, ticked)."""

    name: str
    rows: list[tuple[Condition, bool]] = field(default_factory=list)
    is_open: bool = True


class SignUpForm(AskingForm):
    """The sign-up page: newsletters, conditions in groups, cadence."""

    newsletters = forms.MultipleChoiceField(required=False)
    conditions = forms.MultipleChoiceField(required=False)

    # The order on the page, which is the order of the errors in the summary.
    field_order = ["newsletters", "conditions", "cadence", "email"]

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, query: str = "", **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.query = search.clean(query)
        self.open_newsletters = {newsletter.slug: newsletter for newsletter in self._offered()}
        self.chosen_conditions = self._ticked_and_open()
        self.fields["newsletters"].choices = [  # type: ignore[attr-defined]
            (slug, newsletter.name) for slug, newsletter in self.open_newsletters.items()
        ]
        self.fields["conditions"].choices = [  # type: ignore[attr-defined]
            (slug, condition.name) for slug, condition in self.chosen_conditions.items()
        ]
        for name, message in (
            ("newsletters", _("Choose from the newsletters on this page.")),
            ("conditions", _("Choose from the conditions on this page.")),
        ):
            self.fields[name].error_messages["invalid_choice"] = message
            self.fields[name].error_messages["invalid_list"] = message

    @cached_property
    def open_conditions(self) -> dict[str, Condition]:
        """All of them, for showing the form."""
        return {condition.slug: condition for condition in Condition.objects.open()}

    def _ticked_and_open(self) -> dict[str, Condition]:
        """What was sent and can be followed: of hundreds of conditions only these are read."""
        # Only what can be a slug reaches a query.
        slugs = [slug for slug in self.ticked_conditions if slug_re.fullmatch(slug)]
        if not self.is_bound or not slugs:
            return {}
        return {condition.slug: condition for condition in offered.conditions(slugs)}

    def _offered(self) -> Iterable[Newsletter]:
        if self.is_bound:
            return offered.newsletters()
        return Newsletter.objects.filter(open_for_signup=True)

    def editorial(self) -> list[Newsletter]:
        """The newsletters that are offered as boxes; digests come with the conditions."""
        return [one for one in self.open_newsletters.values() if not one.is_digest]

    def digests(self) -> list[Newsletter]:
        return [one for one in self.open_newsletters.values() if one.is_digest]

    def chosen_newsletters(self) -> list[Newsletter]:
        """What was ticked, and the digests that carry the conditions where none was."""
        chosen: list[Newsletter] = self.cleaned_data["newsletters"]
        if self.cleaned_data["conditions"] and not any(one.is_digest for one in chosen):
            return chosen + self.digests()
        return chosen

    def groups(self) -> list[Group]:
        """The conditions by group, when a digest is open that could carry them.

        Those that the search found stand by themselves above, so they are left out here.
        """
        if not self.digests():
            return []
        ticked, found = self.ticked_conditions, set(self.found)
        grouped: dict[str, Group] = {}
        for condition in sorted(self.open_conditions.values(), key=lambda c: (c.group, c.name)):
            if condition not in found:
                group = grouped.setdefault(condition.group, Group(condition.group))
                group.rows.append((condition, condition.slug in ticked))
        for group in grouped.values():
            group.is_open = not self.folded or any(is_ticked for _, is_ticked in group.rows)
        return list(grouped.values())

    def found_rows(self) -> list[tuple[Condition, bool]]:
        """(condition, ticked) of what the search found."""
        ticked = self.ticked_conditions
        return [(condition, condition.slug in ticked) for condition in self.found]

    @cached_property
    def found(self) -> list[Condition]:
        """What the search without JavaScript found, best first; all the others stand below."""
        if not self.query or not self.digests():
            return []
        return search.find(self.query, self.open_conditions.values())

    @property
    def folded(self) -> bool:
        """True when there are too many conditions to be laid out in full."""
        return len(self.open_conditions) > UNFOLDED_AT_MOST

    @property
    def searchable(self) -> bool:
        return len(self.open_conditions) > SEARCHED_FROM

    def ticked(self, name: str) -> set[str]:
        """What stands ticked in the form as it was sent, or was handed in to begin with."""
        if self.is_bound:
            getlist = getattr(self.data, "getlist", None)
            return set(getlist(name) if getlist else self.data.get(name, []))
        return set(self.initial.get(name, []))

    @property
    def ticked_newsletters(self) -> set[str]:
        return self.ticked("newsletters")

    @property
    def ticked_conditions(self) -> set[str]:
        return self.ticked("conditions")

    def clean_newsletters(self) -> list[Newsletter]:
        return [self.open_newsletters[slug] for slug in self.cleaned_data["newsletters"]]

    def clean_conditions(self) -> list[Condition]:
        return [self.chosen_conditions[slug] for slug in self.cleaned_data["conditions"]]

    def clean(self) -> dict[str, Any]:
        newsletters = self.cleaned_data.get("newsletters", [])
        conditions = self.cleaned_data.get("conditions", [])
        chosen_well = "newsletters" not in self.errors and "conditions" not in self.errors
        if chosen_well and not newsletters and not conditions:
            self.add_error("newsletters", _("Choose at least one newsletter or condition."))
        if chosen_well and any(one.is_digest for one in newsletters) and not conditions:
            self.add_error("conditions", _("Choose at least one condition to hear about."))
        if conditions and not self.digests():
            self.add_error("conditions", _("Conditions cannot be followed here at the moment."))
        self.require_mail_consent()
        if needs_health_consent(newsletters, conditions):
            self.require_health_consent()
        return self.cleaned_data


class UnfinishedSignUpForm(SignUpForm):
    """The sign-up page while somebody searches without JavaScript: all that was filled in stands
    again, and nothing is said yet about what is still missing."""

    def full_clean(self) -> None:
        self._errors = ErrorDict()


class ConditionSignUpForm(AskingForm):
    """The short form on a condition's page: the condition is fixed, its digest goes with it."""

    place = guard.Place.CONDITION_PAGE

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, condition: Condition, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.condition = condition

    @property
    def is_open(self) -> bool:
        """False when no digest is open that could carry the condition."""
        return any(True for _digest in digest_newsletters())

    def clean(self) -> dict[str, Any]:
        self.require_mail_consent()
        self.require_health_consent()
        return self.cleaned_data
