"""How sending is just now, in plain numbers: relays, domains, warm-up, queue, workers, alarms."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.desk.access import SEND, VIEW_MAILING, require_any
from newsletter.desk.frame import frame
from newsletter.desk.progress import title_of
from newsletter.sending import warm_up
from newsletter.sending.brakes import slowed_domains
from newsletter.sending.models import Alarm, Batch, DomainLimit, Mailing
from newsletter.sending.sightings import Sighting, sightings

ALARMS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay, over all the processes that were heard of lately."""

    where: str
    lines: int
    processes: int
    # Seconds, the longest that any of them leaves it alone; why.
    rests: float
    trouble: str
    # Messages a second at most; 0 for any number.
    rate: float


@dataclass(frozen=True, slots=True)
class Domain:
    name: str
    # Messages a second: what it gets now because it asked for patience, and what staff allow.
    slowed: float | None
    limit: float | None
    waiting: int


@never_cache
@require_safe
def sending_page(request: HttpRequest) -> HttpResponse:
    user = require_any(request, SEND, VIEW_MAILING)
    try:
        seen, slowed, queue_answers = sightings(), slowed_domains(), True
    except redis.RedisError:
        seen, slowed, queue_answers = [], {}, False
    alarms = Alarm.objects.order_by(F("ended_at").desc(nulls_first=True), "-pk")
    fresh = [one for one in seen if one.is_fresh]
    context: dict[str, Any] = {
        "queue_answers": queue_answers,
        "alarms": _with_mailings(alarms[:ALARMS_SHOWN]),
        "relays": relays(fresh),
        "rate": settings.SENDING_RATE,
        "rate_an_hour": settings.SENDING_RATE * 3600,
        "pace": pace_now(),
        "domains": domains(slowed),
        "plans": warm_up.every_plan(),
        "batches": waiting_batches(),
        "nodes": [one for one in seen if one.is_node],
        "journals": [one for one in fresh if one.journal],
        "hears_of_journals": any(not one.is_node for one in fresh),
        "may_limit": user.has_perm("sending.change_domainlimit"),
        "may_warm_up": user.has_perm("sending.change_warmup"),
        **frame(_("Sending"), icon="rotate"),
    }
    return TemplateResponse(request, "desk/sending.html", context)


def _with_mailings(alarms: Iterable[Alarm]) -> list[tuple[Alarm, Mailing | None, str]]:
    """Each with the mailing that it is about and its title, which people know it by. Who is
    limited to some newsletters does not see this page."""
    shown = list(alarms)
    found = (
        Mailing.objects.select_related("newsletter", "issue")
        .defer("issue__body")
        .in_bulk([alarm.mailing_number for alarm in shown if alarm.mailing_number])
    )
    about = ((alarm, found.get(alarm.mailing_number or 0)) for alarm in shown)
    return [(alarm, mailing, title_of(mailing) if mailing else "") for alarm, mailing in about]


def relays(seen: list[Sighting]) -> list[Relay]:
    found: dict[str, Relay] = {}
    for way in (way for one in seen for way in one.ways):
        had = found.get(way.where, Relay(way.where, 0, 0, 0.0, "", way.rate))
        found[way.where] = Relay(
            way.where,
            had.lines + way.lines,
            had.processes + 1,
            max(had.rests, way.rests),
            had.trouble or way.trouble,
            way.rate,
        )
    return [found[where] for where in sorted(found)]


def domains(slowed: dict[str, float]) -> list[Domain]:
    limits = dict(DomainLimit.objects.values_list("domain", "per_second"))
    open_rows = F("planned") - F("accepted") - F("refused") - F("skipped") - F("unknown")
    waiting = dict(
        Batch.objects.filter(mailing__state=Mailing.State.SENDING)
        .exclude(domain="")
        .exclude(state=Batch.State.DONE)
        .values_list("domain")
        .annotate(number=Sum(open_rows))
    )
    return [
        Domain(name, slowed.get(name), limits.get(name), waiting.get(name, 0))
        for name in sorted(slowed.keys() | limits.keys() | waiting.keys())
    ]


def pace_now() -> float:
    """Return messages a second, as last measured, of the mailings that workers have a batch of."""
    with_a_worker = Batch.objects.filter(state=Batch.State.CLAIMED).values("mailing")
    going = Mailing.objects.filter(state=Mailing.State.SENDING, pk__in=with_a_worker)
    total: float = going.aggregate(total=Sum("pace", default=0.0))["total"]
    return total


def waiting_batches() -> dict[str, int]:
    """Batches of mailings that are being sent: due now, with a worker, for later."""
    now = timezone.now()
    later = Q(state=Batch.State.READY, not_before__gt=now)
    return Batch.objects.filter(mailing__state=Mailing.State.SENDING).aggregate(
        claimed=Count("pk", filter=Q(state=Batch.State.CLAIMED)),
        later=Count("pk", filter=later),
        ready=Count("pk", filter=Q(state=Batch.State.READY) & ~later),
    )
