"""What sending this issue would do, counted by the rules that sending goes by. Writes nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from newsletter.audience.in_sql import verdict
from newsletter.audience.reasons import Reason
from newsletter.editions.models import Issue
from newsletter.rendering.issue import compile_issue
from newsletter.sending.corrections import had
from newsletter.sending.models import DomainLimit
from newsletter.wire import quoted_printable
from signup.models import Suppression

# Beside the reasons of `audience`: a subscription that is no reason to expect anything.
PENDING, ENDED = "pending", "ended"


@dataclass(slots=True)
class Audience:
    """Everybody who ever subscribed to a newsletter, and who of them would get it now."""

    readers: int = 0
    # By Reason, and PENDING and ENDED.
    excluded: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    named: int = 0
    text_only: int = 0
    # Readers at domains that get mail more slowly, by domain.
    slowed: Counter[str] = field(default_factory=Counter)
    # Addresses barred under a key that was rotated away: who of the readers that concerns shows
    # when each is checked, just before the copy goes.
    doubtful: int = 0


@dataclass(frozen=True, slots=True)
class Size:
    """In bytes: a copy as it goes over the wire without what differs for each reader, and its
    HTML, which is what mail programs cut."""

    message: int
    html: int


def audience(issue: Issue, slowed: tuple[str, ...] = ()) -> Audience:
    """Count all subscriptions by the verdict that each chunk asks for too; of a correction, those
    of readers who had the original. One statement.

    `slowed` are domains to count beside those that have a limit.
    """
    newsletter = issue.newsletter
    among = ""
    params: tuple[Any, ...] = ()
    if issue.is_correction:
        query = had(issue).order_by().values("subscriber_id").query
        readers, params = query.sql_with_params()
        among = f" AND sub.subscriber_id IN ({readers})"
    domains = sorted({*slowed, *DomainLimit.objects.values_list("domain", flat=True)})
    at = "".join(" WHEN reader.email_key LIKE %s ESCAPE '!' THEN %s" for _ in domains)
    domain = f"CASE{at} ELSE '' END" if domains else "''"
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT why, state, zone, named, text_only, domain, COUNT(*) FROM (SELECT"  # noqa: S608
            f" {verdict(newsletter)} AS why, sub.state AS state, reader.timezone AS zone,"
            " CASE WHEN reader.first_name <> '' THEN 1 ELSE 0 END AS named,"
            f" reader.text_only AS text_only, {domain} AS domain"
            " FROM signup_subscription sub"
            " JOIN signup_subscriber reader ON reader.id = sub.subscriber_id"
            f" WHERE sub.newsletter_id = %s{among}) AS everybody"
            " GROUP BY why, state, zone, named, text_only, domain",
            [
                now,
                *(part for name in domains for part in ("%@" + name.replace("_", "!_"), name)),
                newsletter.pk,
                *params,
            ],
        )
        found = _added_up(cursor.fetchall())
    found.doubtful = _barred_under_older_keys()
    return found


def size(issue: Issue) -> Size:
    """Compile the issue as it is in memory. Raises MjmlError when it cannot be rendered."""
    edition = compile_issue(issue)
    constant = len(quoted_printable.encode(edition.text)) + len(
        quoted_printable.encode(edition.html)
    )
    return Size(constant, len(quoted_printable.encode(edition.html)))


def _added_up(rows: list[tuple[Any, ...]]) -> Audience:
    found = Audience()
    for why, state, zone, named, text_only, domain, number in rows:
        if why is not None:
            # An ended subscription is both; what staff know it as is that it ended.
            is_over = why == Reason.NOT_LIVE and state in (PENDING, ENDED)
            found.excluded[state if is_over else why] += number
            continue
        found.readers += number
        found.zones[zone] += number
        found.named += number if named else 0
        found.text_only += number if text_only else 0
        if domain:
            found.slowed[domain] += number
    return found


def _barred_under_older_keys() -> int:
    newest = settings.SUPPRESSION_KEYS[0][0]
    if len(settings.SUPPRESSION_KEYS) == 1:
        return 0
    return sum(
        1
        for hashed in Suppression.objects.values_list("address_hash", flat=True).iterator()
        if bytes(hashed)[0] != newest
    )
