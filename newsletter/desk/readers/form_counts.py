"""How many asked on which form, and how many of them confirmed.

A form that is about a condition tells of health. Its figures come rounded, for the whole time
only, and not at all while they are small: nobody should be able to tell from them whether one
person signed up (standard E16).
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter
from signup.models import EmbedForm, SignUp
from signup.privacy.retention import KEEP

# Of a form about a condition no figure under this is shown, and none that is not rounded.
SMALL = 20
ROUNDED_TO = 10
_EMBEDDED = re.compile(r"/sign-up/embed/(?P<id>[0-9a-f]{16})/(?:\?on=(?P<site>.*))?\Z")


@dataclass(slots=True)
class Day:
    on: date
    asked: int
    confirmed: int


@dataclass(slots=True)
class FormCount:
    """One form: its page here, or what staff call it and the site on which it stands.

    `asked` and `confirmed` None: fewer than SMALL, and `about_health`.
    """

    page: str
    about_health: bool
    asked: int | None = 0
    confirmed: int | None = 0
    days: list[Day] = field(default_factory=list)

    @property
    def share(self) -> int | None:
        """How many of a hundred confirmed; None where the figures are rounded or missing."""
        if self.about_health or not self.asked or self.confirmed is None:
            return None
        return round(100 * self.confirmed / self.asked)


def form_counts() -> list[FormCount]:
    """Return every form that was sent in the days for which sign-ups are kept, busiest first."""
    since = timezone.now() - KEEP
    rows = (
        SignUp.objects.filter(created_at__gte=since)
        .annotate(on=TruncDate("created_at"))
        .values_list("form_url", "on")
        .annotate(asked=Count("pk"), confirmed=Count("confirmed_at"))
        .order_by("on")
    )
    days: defaultdict[str, list[Day]] = defaultdict(list)
    for page, on, asked, confirmed in rows:
        days[page].append(Day(on, asked, confirmed))
    telling, named = _TellsOfHealth(), dict(EmbedForm.objects.values_list("public_id", "name"))
    counts = [_count(_shown(page, named), each, telling(page)) for page, each in days.items()]
    return sorted(counts, key=lambda one: (-(one.asked or 0), one.page))


def _shown(page: str, named: dict[str, str]) -> str:
    """How staff know the form: not by the id of one that stands on another site."""
    if (found := _EMBEDDED.search(page)) and found["id"] in named:
        site = f" ({found['site']})" if found["site"] else ""
        return named[found["id"]] + site
    return page.removeprefix(settings.BASE_URL) or "/"


def _count(shown: str, days: list[Day], about_health: bool) -> FormCount:
    asked, confirmed = sum(day.asked for day in days), sum(day.confirmed for day in days)
    if about_health:
        return FormCount(shown, True, _coarse(asked), _coarse(confirmed))
    return FormCount(shown, False, asked, confirmed, days[::-1])


def _coarse(number: int) -> int | None:
    """Rounded down, so that two looks a day apart tell nobody who came in between."""
    return None if number < SMALL else number - number % ROUNDED_TO


class _TellsOfHealth:
    """Whether a form's page names a condition, or its form offers only what tells of health."""

    def __init__(self) -> None:
        self._conditions = set(Condition.objects.values_list("slug", flat=True))
        sensitive = set(Newsletter.objects.filter(sensitive=True).values_list("pk", flat=True))
        self._forms = {
            form.public_id
            for form in EmbedForm.objects.prefetch_related("newsletters", "conditions")
            if form.conditions.all() or any(n.pk in sensitive for n in form.newsletters.all())
        }

    def __call__(self, page: str) -> bool:
        parts = {part for part in page.replace("?", "/").replace("=", "/").split("/") if part}
        return bool(parts & (self._conditions | self._forms)) or not page.startswith(
            settings.BASE_URL
        )
