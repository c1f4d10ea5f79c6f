"""The rows between preflight, which wants to know, and the task, which goes and asks."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from django.db.models import F, Q
from django.utils import timezone

from newsletter.approval.links.fetch import ask
from newsletter.approval.models import LinkCheck
from newsletter.web.fetch import THE_WEB, Way

# An answer is good for a day; a row that nobody has wanted for that long is left alone.
GOOD_FOR = timedelta(days=1)
WANTED_FOR = timedelta(days=2)
# A worker that died gives its rows back.
CLAIM = timedelta(minutes=10)
# A draft may hold more links than this; so many are tried.
MOST_LINKS = 100
AT_ONCE = 10
# So that a draft with fifty links to one hospital does not look like an attack to it.
PER_HOST = 4


def want(urls: Iterable[str]) -> int:
    """Ask for these to be tried. Returns how many have no fresh answer yet."""
    now = timezone.now()
    rows = {key_of(url): url for url in list(dict.fromkeys(urls))[:MOST_LINKS]}
    if not rows:
        return 0
    LinkCheck.objects.bulk_create(
        [LinkCheck(url_hash=key, url=url, wanted_at=now) for key, url in rows.items()],
        ignore_conflicts=True,
    )
    found = LinkCheck.objects.filter(url_hash__in=list(rows))
    found.filter(wanted_at__lt=now - GOOD_FOR / 2).update(wanted_at=now)
    return found.filter(_stale()).count()


def known(urls: Iterable[str]) -> dict[str, LinkCheck]:
    """What is known about these addresses, by address."""
    keys = [key_of(url) for url in dict.fromkeys(urls)]
    rows = LinkCheck.objects.filter(url_hash__in=keys[:MOST_LINKS], checked_at__isnull=False)
    return {row.url: row for row in rows}


def look_at_some(*, way: Way = THE_WEB) -> bool:
    """Try a few of the links that are waiting. True when more are left.

    Each row is claimed by itself, so that two tasks do not ask twice.
    """
    now = timezone.now()
    waiting = list(
        LinkCheck.objects.filter(_stale(), wanted_at__gte=now - WANTED_FOR)
        .filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - CLAIM))
        .order_by(F("checked_at").asc(nulls_first=True), "pk")[: AT_ONCE * PER_HOST]
    )
    hosts: Counter[str] = Counter()
    asked = 0
    for row in waiting:
        host = urlsplit(row.url).netloc
        if asked == AT_ONCE or hosts[host] == PER_HOST:
            continue
        if not _claim(row):
            continue
        hosts[host] += 1
        asked += 1
        answer = ask(row.url, way=way)
        LinkCheck.objects.filter(pk=row.pk).update(
            checked_at=timezone.now(),
            claimed_at=None,
            verdict=answer.verdict,
            status=answer.status,
            detail=answer.detail,
        )
    return len(waiting) > asked > 0


def forget() -> int:
    """Delete what nobody has wanted for a month; a link in a draft can be a private one."""
    old = LinkCheck.objects.filter(wanted_at__lt=timezone.now() - timedelta(days=30))
    return old.delete()[0]


def key_of(url: str) -> bytes:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).digest()


def _claim(row: LinkCheck) -> bool:
    mine = LinkCheck.objects.filter(pk=row.pk, claimed_at=row.claimed_at)
    return bool(mine.update(claimed_at=timezone.now()))


def _stale() -> Q:
    return Q(checked_at__isnull=True) | Q(checked_at__lt=timezone.now() - GOOD_FOR)
