"""The digests at a glance: who is due in the next day, and what became of the last runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.catalogue.models import Newsletter
from newsletter.desk.access import APPROVE, MARK_ALERT, SEND, VIEW_MAILING, require_any
from newsletter.desk.digests.frame import FEWEST_SHOWN, header
from newsletter.sending.balance import FIELDS, Counts
from newsletter.sending.models import Batch, DigestMark, Mailing

PER_PAGE = 20
# What is due changes by the minute, and to count a million marks takes a moment.
COUNTED_FOR = 60
# Percent of the drawing for an hour whose few readers are not told.
FEW_HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Hour:
    """How many readers are due within one hour. `height` is in percent of the fullest."""

    begins: datetime
    readers: int
    height: int

    @property
    def top(self) -> int:
        """Where the bar begins in a drawing 100 high."""
        return 100 - self.height

    @property
    def is_small(self) -> bool:
        return 0 < self.readers < FEWEST_SHOWN


@dataclass(frozen=True, slots=True)
class DueSoon:
    hours: list[Hour]
    total: int
    late: int

    @property
    def few(self) -> bool:
        return 0 < self.total < FEWEST_SHOWN


@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    user = require_any(request, SEND, VIEW_MAILING, APPROVE, MARK_ALERT)
    runs = (
        Mailing.objects.filter(kind=Mailing.Kind.DIGEST)
        .select_related("newsletter")
        .order_by("-pk")
    )
    may_count = user.has_perm(SEND) or user.has_perm(VIEW_MAILING)
    page = Paginator(runs, PER_PAGE).get_page(request.GET.get("p")) if may_count else None
    return TemplateResponse(
        request,
        "desk/digests/overview.html",
        {
            "newsletters": Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("name"),
            "due": due_soon(timezone.now()) if may_count else None,
            "page": page,
            "runs": list(zip(page, counts_of(list(page)), strict=True)) if page else [],
            **header(_("Digests")),
        },
    )


def due_soon(now: datetime) -> DueSoon:
    """Count the readers due in the next 24 hours by the hour, in the time zone of the desk."""
    first = now.replace(minute=0, second=0, microsecond=0)
    found: dict[str, Any] | None = cache.get("desk:due-soon")
    if found is None or found["first"] != first:
        marks = DigestMark.objects.filter(next_due_at__isnull=False)
        found = {
            "first": first,
            "hours": dict(
                marks.filter(next_due_at__gte=first, next_due_at__lt=first + timedelta(hours=24))
                .annotate(hour=TruncHour("next_due_at"))
                .order_by()
                .values_list("hour")
                .annotate(readers=Count("pk"))
            ),
            "late": marks.filter(next_due_at__lt=first).count(),
        }
        cache.set("desk:due-soon", found, COUNTED_FOR)
    hours: dict[datetime, int] = found["hours"]
    most = max(hours.values(), default=0)
    return DueSoon(
        hours=[
            _hour(
                first + timedelta(hours=number), hours.get(first + timedelta(hours=number), 0), most
            )
            for number in range(24)
        ],
        total=sum(hours.values()),
        late=found["late"],
    )


def counts_of(mailings: list[Mailing]) -> list[Counts]:
    """Return the counts of each, in one statement."""
    sums = {
        mailing: Counts(*numbers)
        for mailing, *numbers in Batch.objects.filter(mailing__in=mailings)
        .order_by()
        .values("mailing")
        .annotate(**{f"all_{name}": Sum(name, default=0) for name in FIELDS})
        .values_list("mailing", *(f"all_{name}" for name in FIELDS))
    }
    return [sums.get(mailing.pk, Counts()) for mailing in mailings]


def _hour(begins: datetime, readers: int, most: int) -> Hour:
    # What is too small to be told is not told by the height of its bar either.
    if 0 < readers < FEWEST_SHOWN:
        return Hour(begins, readers, FEW_HEIGHT)
    return Hour(begins, readers, round(100 * readers / max(most, 1)))
