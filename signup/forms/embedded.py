"""What comes from a form on another web site, or from its script."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition, Newsletter
from signup import guard
from signup.consent import current_texts
from signup.embed import return_pages
from signup.embed.offer import Offer
from signup.forms.asking import AskingForm, Purpose
from signup.models import ConsentText, EmbedForm
from signup.subscribe import needs_health_consent


class EmbeddedSignUpForm(AskingForm):
    """The fields of the sign-up page, less what this form does not offer.

    Wordings change, and nobody rewrites other people's pages: a tick counts only if the signed
    token says that the words of today stood beside it. Otherwise it is asked for again.
    """

    newsletters = forms.MultipleChoiceField(required=False)
    conditions = forms.MultipleChoiceField(required=False)
    return_to = forms.CharField(max_length=600, required=False)

    place = guard.Place.EMBEDDED
    field_order = ["newsletters", "conditions", "cadence", "email"]

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        embed: EmbedForm,
        offer: Offer,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.embed = embed
        self.offer = offer
        self.fields["newsletters"].choices = [  # type: ignore[attr-defined]
            (one.slug, one.name) for one in offer.newsletters
        ]
        self.fields["conditions"].choices = [  # type: ignore[attr-defined]
            (one.slug, one.name) for one in offer.conditions
        ]
        for name, message in (
            ("newsletters", _("Choose from the newsletters on this page.")),
            ("conditions", _("Choose from the conditions on this page.")),
        ):
            self.fields[name].error_messages["invalid_choice"] = message
            self.fields[name].error_messages["invalid_list"] = message

    @cached_property
    def token(self) -> guard.FormToken | None:
        """The signed token, if it is one for such forms."""
        token = super().token
        return token if token is not None and token.place is guard.Place.EMBEDDED else None

    def has_shown(self, purpose: ConsentText.Purpose) -> bool:
        """True when the words of today stood beside this box."""
        return self.token is not None and self.texts[purpose].pk in self.token.text_ids

    def stands_ticked(self, purpose: ConsentText.Purpose) -> bool:
        """Whether the box is ticked when the form is shown again."""
        return bool(self[f"consent_{purpose.value}"].value()) and self.has_shown(purpose)

    @property
    def ticked_boxes(self) -> dict[str, bool]:
        return {purpose.value: self.stands_ticked(purpose) for purpose in Purpose}

    @property
    def ticked_newsletters(self) -> set[str]:
        return self._ticked("newsletters")

    @property
    def ticked_conditions(self) -> set[str]:
        return self._ticked("conditions")

    @property
    def carried_along(self) -> list[tuple[str, str]]:
        """(name, value) of what was sent and has no field on the page: kept, not shown."""
        if not self.is_bound:
            return []
        # What is wrong is not carried along: a name is asked for again, a cadence falls back.
        names = [n for n in ("first_name", "cadence", "return_to") if n not in self.errors]
        kept = [(name, str(self.data.get(name, ""))) for name in names]
        return [(name, value) for name, value in kept if value]

    @property
    def return_page(self) -> str | None:
        """The page to lead back to, if it is one of those that staff listed."""
        wanted = str(self.data.get("return_to", ""))
        return return_pages.answered(wanted) if wanted in self.embed.pages else None

    def clean_newsletters(self) -> list[Newsletter]:
        if self.offer.is_single:
            return list(self.offer.newsletters)
        chosen = self.cleaned_data["newsletters"]
        return [one for one in self.offer.newsletters if one.slug in chosen]

    def clean_conditions(self) -> list[Condition]:
        if self.offer.is_single:
            return list(self.offer.conditions)
        chosen = self.cleaned_data["conditions"]
        return [one for one in self.offer.conditions if one.slug in chosen]

    def clean(self) -> dict[str, Any]:
        newsletters = self.cleaned_data.get("newsletters", [])
        conditions = self.cleaned_data.get("conditions", [])
        chosen_well = "newsletters" not in self.errors and "conditions" not in self.errors
        if chosen_well and not newsletters and not conditions:
            first = "newsletters" if self.offer.newsletters else "conditions"
            self.add_error(first, _("Choose at least one newsletter or condition."))
        self.require_mail_consent()
        if needs_health_consent(newsletters, conditions):
            self.require_health_consent()
        for purpose in Purpose:
            name = f"consent_{purpose.value}"
            if self.cleaned_data.get(name) and not self.has_shown(purpose):
                self.add_error(
                    name,
                    _("Our words here have changed. Read them, and tick the box if you agree."),
                )
        return self.cleaned_data

    def chosen_newsletters(self) -> list[Newsletter]:
        """What is asked for, with the digests that carry the conditions."""
        chosen: list[Newsletter] = self.cleaned_data["newsletters"]
        return chosen + (list(self.offer.digests) if self.cleaned_data["conditions"] else [])

    def _texts_shown(self) -> dict[ConsentText.Purpose, ConsentText]:
        """Today's, whatever stood on the other site: nothing else is agreed to here."""
        return current_texts(get_language() or settings.LANGUAGE_CODE)

    def _ticked(self, name: str) -> set[str]:
        if not self.is_bound:
            return set()
        getlist = getattr(self.data, "getlist", None)
        return set(getlist(name) if getlist else self.data.get(name, []))
