"""Whether this process is up, whether it can work, and how much is waiting. No reader's data."""

import secrets
from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.sending.models import Batch, Mailing
from project.queues import lists_of
from signup.models import SystemMail

QUEUES = ("prompt", "control", "bulk")
_migrated = False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a slow database restarts no web server."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 until the database, its migrations and the queue are all there."""
    found = {"database": _database(), "migrations": _migrations(), "redis": _redis()}
    ready = all(state == "ok" for state in found.values())
    return JsonResponse(found, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for who has METRICS_TOKEN; without one, for this machine only."""
    if not _may_see_metrics(request):
        return HttpResponse("Metrics need METRICS_TOKEN as a bearer token.\n", status=403)
    text = "".join(f"{line}\n" for line in _metrics())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _migrations() -> str:
    """Asked until they are complete, then remembered: code and schema change with a restart."""
    global _migrated  # noqa: PLW0603 - a memory of this process
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            return "unknown"
    return "ok" if _migrated else "missing: run manage.py migrate"


def _redis() -> str:
    try:
        with _client() as client:
            client.ping()
    except redis.RedisError:
        return "does not answer"
    return "ok"


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL.replace("redis+socket://", "unix://"),
        socket_timeout=3,
        socket_connect_timeout=3,
    )


def _may_see_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # Behind a proxy every request comes from the proxy: what was forwarded, or asks for a public
    # name, is not local.
    local = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1", "")
    forwarded = any(name.startswith(("X-Forwarded", "Forwarded")) for name in request.headers)
    name = request.get_host().rpartition(":")[0] or request.get_host()
    return local and not forwarded and name in ("localhost", "127.0.0.1", "[::1]")


def _metrics() -> Iterator[str]:
    yield from _gauge("wellread_mailings", "Mailings not yet ended, by state.", _open_mailings())
    yield from _gauge(
        "wellread_deliveries", "Deliveries of mailings not yet ended, by state.", _deliveries()
    )
    yield from _gauge(
        "wellread_batches", "Batches of mailings not yet ended, by state.", _batches()
    )
    yield from _gauge("wellread_system_mail", "System mail still owed, by state.", _system_mail())
    yield from _gauge("wellread_queue_length", "Tasks waiting at the broker, by queue.", _queues())


def _gauge(name: str, text: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    label = "queue" if name.endswith("queue_length") else "state"
    for value, number in values.items():
        yield f'{name}{{{label}="{value}"}} {number}'


_OPEN = (Mailing.State.PLANNING, Mailing.State.SENDING, Mailing.State.PAUSED)


def _open_mailings() -> dict[str, int]:
    rows = Mailing.objects.filter(state__in=_OPEN).values_list("state").annotate(Count("pk"))
    return {str(state): 0 for state in _OPEN} | dict(rows)


def _deliveries() -> dict[str, int]:
    """From the batches' own counts: a few thousand rows stand for a million deliveries."""
    columns = ("planned", "accepted", "refused", "skipped", "unknown")
    sums = Batch.objects.filter(mailing__state__in=_OPEN).aggregate(
        **{f"all_{column}": Sum(column, default=0) for column in columns}
    )
    found = {column: sums[f"all_{column}"] for column in columns}
    planned = found.pop("planned")
    return {**found, "open": planned - sum(found.values())}


def _batches() -> dict[str, int]:
    rows = Batch.objects.filter(mailing__state__in=_OPEN).values_list("state").annotate(Count("pk"))
    return {str(state): 0 for state in Batch.State} | dict(rows)


def _system_mail() -> dict[str, int]:
    owed = (SystemMail.State.QUEUED, SystemMail.State.HANDED, SystemMail.State.UNKNOWN)
    rows = SystemMail.objects.filter(state__in=owed).values_list("state").annotate(Count("pk"))
    return {str(state): 0 for state in owed} | dict(rows)


def _queues() -> dict[str, int]:
    try:
        with _client() as client, client.pipeline(transaction=False) as pipe:
            for queue in QUEUES:
                for name in lists_of(queue):
                    pipe.llen(name)
            lengths = iter(pipe.execute())
            return {queue: sum(next(lengths) for _ in lists_of(queue)) for queue in QUEUES}
    except redis.RedisError:
        return {}
