"""The preferences page as a form."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.archive import search
from newsletter.catalogue.models import Condition
from signup import guard
from signup.consent import current_texts
from signup.forms.asking import SEARCHED_FROM, UNFOLDED_AT_MOST, Group
from signup.forms.guarded import ErrorSummary, clean_name
from signup.models import ConsentText, Follow, Subscriber, Subscription
from signup.preferences import Choices

Purpose = ConsentText.Purpose
LONGEST_PAUSE = timedelta(days=366)


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return region → (zone, its city in words), for a select with groups."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, slash, city = name.partition("/")
        if slash and region not in {"Etc", "SystemV", "US", "Canada", "Brazil", "Chile", "Mexico"}:
            regions.setdefault(region, []).append((name, city.replace("_", " ")))
    return [("UTC", [("UTC", "UTC")]), *regions.items()]


class PreferencesForm(ErrorSummary, forms.Form):
    """What a reader can set. Bound to the reader whose link was opened, never to an address."""

    conditions = forms.MultipleChoiceField(required=False)
    paused = forms.MultipleChoiceField(required=False)
    consent_health = forms.BooleanField(required=False)
    cadence = forms.ChoiceField(choices=Subscription.Cadence.choices, required=False)
    weekday = forms.TypedChoiceField(choices=list(WEEKDAYS.items()), coerce=int, required=False)
    hour = forms.TypedChoiceField(
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)],
        coerce=int,
        required=False,
    )
    pause_until = forms.DateField(required=False)
    first_name = forms.CharField(max_length=600, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    timezone = forms.ChoiceField(required=False)
    text_only = forms.BooleanField(required=False)
    conditions_in_subject = forms.BooleanField(required=False)
    alerts_while_paused = forms.BooleanField(required=False)
    consent_measurement = forms.BooleanField(required=False)
    form_token = forms.CharField(max_length=200, required=False)

    place = guard.Place.PREFERENCES_PAGE

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        subscriber: Subscriber,
        query: str = "",
        **kwargs: Any,
    ) -> None:
        self.subscriber = subscriber
        self.query = search.clean(query)
        self.follows = {
            row.condition.slug: row
            for row in Follow.objects.filter(subscriber=subscriber).select_related("condition")
        }
        self.digest = (
            Subscription.objects.live()
            .filter(subscriber=subscriber, newsletter__kind="digest")
            .select_related("newsletter")
            .first()
        )
        super().__init__(data, initial=self._as_it_is(), **kwargs)
        self.open_conditions = {c.slug: c for c in Condition.objects.open()}
        # A condition that was retired since may still be stopped, but not begun.
        everything = self.open_conditions | {s: f.condition for s, f in self.follows.items()}
        self.everything = everything
        for name in ("conditions", "paused"):
            self.fields[name].choices = [  # type: ignore[attr-defined]
                (slug, condition.name) for slug, condition in everything.items()
            ]
        self.fields["timezone"].choices = time_zones()  # type: ignore[attr-defined]
        self.texts = current_texts(get_language() or settings.LANGUAGE_CODE)
        if data is not None:
            token = guard.read_form_token(str(data.get("form_token", "")))
            if token is not None:
                shown = ConsentText.objects.filter(pk__in=token.text_ids)
                self.texts |= {Purpose(text.purpose): text for text in shown}

    @property
    def fresh_token(self) -> str:
        return guard.form_token(self.place, self.texts)

    @property
    def may_name_conditions(self) -> bool:
        """True when the reader's digest could name conditions in its subject."""
        return self.digest is not None and self.digest.newsletter.may_name_conditions

    @property
    def wording(self) -> dict[str, str]:
        return {purpose.value: text.wording for purpose, text in self.texts.items()}

    def followed(self) -> list[tuple[Condition, bool, bool]]:
        """(condition, ticked, paused) of what the reader follows, by name."""
        ticked, paused = self._ticked("conditions"), self._ticked("paused")
        rows = sorted((row.condition for row in self.follows.values()), key=lambda c: c.name)
        return [(c, c.slug in ticked, c.slug in paused) for c in rows]

    @cached_property
    def more(self) -> list[Condition]:
        """What could be followed as well."""
        rows = [c for slug, c in self.open_conditions.items() if slug not in self.follows]
        return sorted(rows, key=lambda c: (c.group, c.name))

    @property
    def searchable(self) -> bool:
        return len(self.more) > SEARCHED_FROM

    @property
    def folded(self) -> bool:
        """True when there are too many to be laid out in full."""
        return len(self.more) > UNFOLDED_AT_MOST

    @cached_property
    def found(self) -> list[Condition]:
        """What the search without JavaScript found of `more`, best first."""
        return search.find(self.query, self.more) if self.query else []

    def found_rows(self) -> list[tuple[Condition, bool]]:
        """(condition, ticked) of what the search found."""
        ticked = self._ticked("conditions")
        return [(condition, condition.slug in ticked) for condition in self.found]

    def others(self) -> list[tuple[Condition, bool]]:
        """(condition, ticked) of `more`, without what the search found: that stands above."""
        ticked, found = self._ticked("conditions"), set(self.found)
        return [(c, c.slug in ticked) for c in self.more if c not in found]

    def groups(self) -> list[Group]:
        """The others by group; one with a ticked box in it stands open."""
        grouped: dict[str, Group] = {}
        for condition, ticked in self.others():
            group = grouped.setdefault(condition.group, Group(condition.group, is_open=False))
            group.rows.append((condition, ticked))
            group.is_open |= ticked
        return list(grouped.values())

    def clean_first_name(self) -> str:
        return clean_name(self.cleaned_data["first_name"])

    def clean_pause_until(self) -> date | None:
        until: date | None = self.cleaned_data["pause_until"]
        if until is None:
            return None
        today = timezone.now().date()
        if until < today or until > today + LONGEST_PAUSE:
            raise ValidationError(
                _("Enter a day within the next twelve months, or leave it empty.")
            )
        return until

    def clean(self) -> dict[str, Any]:
        added = set(self.cleaned_data.get("conditions", [])) - self.follows.keys()
        if added and self.digest is None:
            self.add_error("conditions", _("Sign up for the digest again to follow conditions."))
        elif (
            added
            and self.subscriber.health_consent_id is None
            and not self.cleaned_data.get("consent_health")
        ):
            self.add_error(
                "consent_health",
                _("Tick the box so that we may use the conditions you follow."),
            )
        return self.cleaned_data

    def choices(self) -> Choices:
        """The filled-in page as the verb takes it. The form is valid."""
        data = self.cleaned_data
        digest = self.digest
        return Choices(
            first_name=data["first_name"],
            language=data["language"] or self.subscriber.language,
            timezone=data["timezone"] or self.subscriber.timezone,
            text_only=data["text_only"],
            # Where the page offers no box, what was chosen before stands.
            conditions_in_subject=(
                data["conditions_in_subject"]
                if self.may_name_conditions
                else self.subscriber.conditions_in_subject
            ),
            alerts_while_paused=(
                data["alerts_while_paused"] if digest else self.subscriber.alerts_while_paused
            ),
            pause_until=data["pause_until"],
            cadence=Subscription.Cadence(
                data["cadence"] or (digest.cadence if digest else Subscription.Cadence.WEEKLY)
            ),
            weekday=_chosen(data["weekday"], digest.weekday if digest else 0),
            hour=_chosen(data["hour"], digest.hour if digest else 8),
            conditions=frozenset(self.everything[slug].pk for slug in data["conditions"]),
            paused=frozenset(self.everything[slug].pk for slug in data["paused"]),
            health_text=self.texts[Purpose.HEALTH] if data["consent_health"] else None,
            measurement_text=(
                self.texts[Purpose.MEASUREMENT] if data["consent_measurement"] else None
            ),
        )

    def _as_it_is(self) -> dict[str, Any]:
        subscriber, digest = self.subscriber, self.digest
        pause = Subscription.objects.filter(
            subscriber=subscriber, paused_until__gt=timezone.now()
        ).first()
        return {
            "conditions": list(self.follows),
            "paused": [slug for slug, row in self.follows.items() if row.paused_at],
            "cadence": digest.cadence if digest else Subscription.Cadence.WEEKLY,
            "weekday": digest.weekday if digest else 0,
            "hour": digest.hour if digest else 8,
            "pause_until": _day_in(pause, subscriber.timezone),
            "first_name": subscriber.first_name,
            "language": subscriber.language,
            "timezone": subscriber.timezone,
            "text_only": subscriber.text_only,
            "conditions_in_subject": subscriber.conditions_in_subject,
            "alerts_while_paused": subscriber.alerts_while_paused,
        }

    def _ticked(self, name: str) -> set[str]:
        if self.is_bound:
            getlist = getattr(self.data, "getlist", None)
            return set(getlist(name) if getlist else self.data.get(name, []))
        return set(self.initial[name])


class UnfinishedPreferencesForm(PreferencesForm):
    """The page while somebody searches without JavaScript: what was filled in stands again, and
    nothing is saved or said about it yet."""

    def full_clean(self) -> None:
        self._errors = ErrorDict()


def _chosen(value: Any, otherwise: int) -> int:
    """A field that the page did not show comes back empty."""
    return otherwise if value in ("", None) else int(value)


def _day_in(subscription: Subscription | None, zone: str) -> date | None:
    if subscription is None or subscription.paused_until is None:
        return None
    return subscription.paused_until.astimezone(ZoneInfo(zone)).date()
