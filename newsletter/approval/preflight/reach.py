"""Who would get it, and by which way out."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, mended_in, warning
from newsletter.audience.recipients import recipients
from newsletter.catalogue.models import Newsletter
from newsletter.catalogue.models.terms import condition_named_in
from newsletter.editions.models import Issue
from newsletter.transports.errors import TransportError
from newsletter.transports.select import bulk_transport

# An audience that doubled within a week came from somewhere: an import, or an attack on the form.
SUDDEN = timedelta(days=7)
FEWEST_SUDDEN = 500
MOST_SUDDEN = 64_000


def findings(issue: Issue) -> Iterator[Finding]:
    newsletter = issue.newsletter
    if newsletter.is_discreet:
        yield from _discreet(issue)
    if issue.is_health_data:
        yield from _way_out(issue)
    if not recipients(newsletter).exists():
        yield warning(
            "audience_empty",
            _("Nobody receives “%(newsletter)s” yet.") % {"newsletter": newsletter.name},
            "newsletter",
        )
    elif joined := joined_suddenly(newsletter):
        yield warning(
            "audience_large",
            _(
                "More than half of the readers of “%(newsletter)s” joined within a week: at least "
                "%(number)d. Ask where they come from before you write to them."
            )
            % {"newsletter": newsletter.name, "number": joined},
            "newsletter",
        )


def joined_suddenly(newsletter: Newsletter) -> int:
    """Return how many readers are new, at least, when they outnumber the others; else 0.

    Reads from the newest row on and stops at the first who is no newcomer, so that a list of a
    million quiet readers costs one row.
    """
    newest = recipients(newsletter).order_by("-pk").values_list("live_at", flat=True)
    since = timezone.now() - SUDDEN
    number = FEWEST_SUDDEN
    joined = 0
    while number <= MOST_SUDDEN:
        last = newest[number - 1 : number].first()
        if last is None or last < since:
            break
        joined, number = number, number * 2
    if joined and newest[joined * 2 : joined * 2 + 1].first() is None:
        return joined
    return 0


def _discreet(issue: Issue) -> Iterator[Finding]:
    """What a reader's neighbour could see over their shoulder says nothing (invariant 11)."""
    newsletter = issue.newsletter
    lines = (
        ("subject", issue.subject, ""),
        ("preheader", issue.preheader, ""),
        ("newsletter", newsletter.from_name, "from_name"),
        ("newsletter", newsletter.from_email.partition("@")[0], "from_email"),
        ("newsletter", newsletter.list_id_label, "list_id_label"),
    )
    for anchor, text, field in lines:
        if term := condition_named_in(text):
            found = error(
                "not_neutral",
                _(
                    "“%(newsletter)s” is discreet, and “%(text)s” names “%(term)s”. Write a "
                    "neutral line that gives away nothing about the reader."
                )
                % {"newsletter": newsletter.name, "text": text, "term": term},
                anchor,
            )
            yield mended_in(newsletter, field, found) if field else found


def _way_out(issue: Issue) -> Iterator[Finding]:
    try:
        bulk_transport(health=True)
    except TransportError as closed:
        if issue.newsletter.sensitive:
            yield error(
                "transport_not_allowed",
                _("“%(newsletter)s” is sensitive and cannot leave. %(why)s")
                % {"newsletter": issue.newsletter.name, "why": closed},
                "newsletter",
            )
            return
        yield error(
            "transport_not_allowed",
            _("The part only for followers tells of its readers' health and cannot leave. %(why)s")
            % {"why": closed},
            "body",
            block=next(
                str(one.get("id") or "") for one in issue.body.raw_data if one["type"] == "only_for"
            ),
        )
