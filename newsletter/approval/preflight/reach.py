"""Who would get it, and by which way out."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.audience.recipients import recipients
from newsletter.catalogue.models import Condition
from newsletter.editions.models import Issue
from newsletter.transports.errors import TransportError
from newsletter.transports.select import bulk_transport


def findings(issue: Issue) -> Iterator[Finding]:
    newsletter = issue.newsletter
    if newsletter.sensitive:
        yield from _sensitive(issue)
    if not recipients(newsletter).exists():
        yield warning(
            "audience_empty",
            _("Nobody receives “%(newsletter)s” yet.") % {"newsletter": newsletter.name},
            "newsletter",
        )


def _sensitive(issue: Issue) -> Iterator[Finding]:
    """What a reader's neighbour could see over their shoulder says nothing (invariant 11)."""
    lines = {
        "subject": issue.subject,
        "preheader": issue.preheader,
        "newsletter": issue.newsletter.from_name,
    }
    for anchor, text in lines.items():
        for term in condition_terms():
            if re.search(rf"\b{re.escape(term)}\b", text, re.IGNORECASE):
                yield error(
                    "not_neutral",
                    _(
                        "“%(newsletter)s” is sensitive, and “%(text)s” names “%(term)s”. Write a "
                        "neutral line that gives away nothing about the reader."
                    )
                    % {"newsletter": issue.newsletter.name, "text": text, "term": term},
                    anchor,
                )
                break
    try:
        bulk_transport(health=True)
    except TransportError as closed:
        yield error(
            "transport_not_allowed",
            _("“%(newsletter)s” is sensitive and cannot leave. %(why)s")
            % {"newsletter": issue.newsletter.name, "why": closed},
            "newsletter",
        )


def condition_terms() -> list[str]:
    """Names and synonyms of every condition, longest first, so that the fullest one is quoted."""
    terms: set[str] = set()
    for name, synonyms in Condition.objects.values_list("name", "synonyms"):
        terms.update(term.strip() for term in (name, *synonyms.split(",")) if term.strip())
    return sorted(terms, key=lambda term: (-len(term), term))
