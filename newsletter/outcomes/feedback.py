"""More like this, or less: what readers say of an issue, counted without knowing who they are.

The links are the same in every copy and hold no token, so a press tells nothing about a reader
and needs no consent to measurement (invariant 12). Opening the page counts nothing: scanners open
every link (invariant 2).
"""

import logging
from hashlib import sha256

import redis
from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.editions.models import Issue
from newsletter.outcomes.models import Opinion
from signup.guard.network import network_of

log = logging.getLogger(__name__)

# What one network may say of one issue in an hour: a clinic's waiting room, but no machine.
MOST, WINDOW = 30, 3_600


# Without a cookie, as all public pages. A forged press adds one to a count and can do no more.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest, slug: str, answer: str) -> HttpResponse:
    """GET: one button. POST: the answer counts, once, and nothing else is kept."""
    if answer not in Opinion.Answer.values:
        raise Http404
    issue = get_object_or_404(Issue.objects.filter(live=True), slug=slug)
    if request.method != "POST":
        page = {"issue": issue, "answer": answer, "said": "said" in request.GET}
        response = render(request, "archive/feedback.html", page)
    else:
        if not _too_many(issue, network_of(request.META)):
            count(issue=issue, answer=Opinion.Answer(answer))
        response = redirect(f"{request.path}?said=1")
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


@transaction.atomic
def count(*, issue: Issue, answer: Opinion.Answer) -> None:
    """Add one answer to today's count."""
    row, _made = Opinion.objects.get_or_create(
        issue=issue, answer=answer, day=timezone.localdate(), defaults={"count": 0}
    )
    Opinion.objects.filter(pk=row.pk).update(count=F("count") + 1)


def _too_many(issue: Issue, network: str | None) -> bool:
    if network is None:
        return False
    hour = int(timezone.now().timestamp()) // WINDOW
    told = sha256(f"{network}|{issue.pk}|{hour}".encode()).hexdigest()[:32]
    key = f"wellread:feedback:{told}"
    try:
        cache.add(key, 0, WINDOW)
        return bool(cache.incr(key) > MOST)
    except (redis.RedisError, ValueError) as error:
        # Without the cache (or in the moment in which the key ran out) a reader is not sent away.
        log.warning("An answer to an issue was counted without its limit: %s", error)
        return False
