"""What is followed and what comes of it: followers, articles, silence, overdue reviews."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from newsletter.catalogue.models import Condition
from newsletter.desk.access import APPROVE, CHANGE_CONDITION, SEND, VIEW_MAILING, require_any
from newsletter.desk.digests.frame import FEWEST_SHOWN, header
from signup.models import Follow

# Articles a month are those of this many days, divided.
MONTHS = 6
# To count three million follows takes a second or two: not for each look at the page.
COUNTED_FOR = 600
# Silent ones come first, so that none of them hides behind a page.
PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `followers` is exact and stays in Python: pages show `shown_followers`."""

    condition: Condition
    followers: int
    a_month: float
    last: datetime | None
    overdue_articles: int
    is_overdue: bool

    @property
    def shown_followers(self) -> str:
        """Never a number under ten, nor whether it is none: a small one tells who they are."""
        if self.followers < FEWEST_SHOWN:
            return _("fewer than %(n)d") % {"n": FEWEST_SHOWN}
        return f"{self.followers:,}"

    @property
    def is_silent(self) -> bool:
        """Enough follow it to say so, and nothing new has come for long."""
        since = timezone.now() - timedelta(days=settings.DIGEST_SILENT_DAYS)
        return self.followers >= FEWEST_SHOWN and (self.last is None or self.last < since)


@require_safe
def condition_dashboard(request: HttpRequest) -> HttpResponse:
    user = require_any(request, SEND, VIEW_MAILING, APPROVE)
    rows = dashboard(timezone.localdate())
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    return TemplateResponse(
        request,
        "desk/digests/conditions.html",
        {
            "rows": page.object_list,
            "page": page,
            "silent": [row for row in rows if row.is_silent],
            "silent_days": settings.DIGEST_SILENT_DAYS,
            "months": MONTHS,
            "fewest": FEWEST_SHOWN,
            "may_retire": user.has_perm(CHANGE_CONDITION),
            **header(_("Conditions")),
        },
    )


def dashboard(today: date) -> list[Row]:
    """Return the open conditions: silent ones first, then those with most followers."""
    followers = _followers()
    last = dict(
        Condition.objects.annotate(
            last=Max(
                "articles__releases__released_at",
                filter=Q(articles__releases__withdrawn_at__isnull=True),
            )
        ).values_list("pk", "last")
    )
    since = timezone.now() - timedelta(days=30 * MONTHS)
    recent = _articles(
        Q(
            articles__releases__released_at__gte=since,
            articles__releases__withdrawn_at__isnull=True,
        )
    )
    overdue = _articles(Q(articles__live=True, articles__review_due__lt=today))
    rows = [
        Row(
            condition,
            followers.get(condition.pk, 0),
            recent.get(condition.pk, 0) / MONTHS,
            last[condition.pk],
            overdue.get(condition.pk, 0),
            condition.review_due is not None and condition.review_due < today,
        )
        for condition in Condition.objects.open().only("name", "review_due")
    ]
    # In no finer order than is shown: places must not tell which of two small ones is larger.
    return sorted(
        rows,
        key=lambda row: (
            not row.is_silent,
            -row.followers if row.followers >= FEWEST_SHOWN else 0,
            row.condition.name,
        ),
    )


def _followers() -> dict[int, int]:
    found: dict[int, int] | None = cache.get("desk:followers")
    if found is None:
        found = dict(
            Follow.objects.active()
            .order_by()
            .values_list("condition")
            .annotate(readers=Count("pk"))
        )
        cache.set("desk:followers", found, COUNTED_FOR)
    return found


def _articles(which: Q) -> dict[int, int]:
    return dict(
        Condition.objects.filter(which)
        .order_by()
        .values_list("pk")
        .annotate(number=Count("articles", distinct=True))
    )
