"""The domains that newsletters come from, and the rows that hold what the DNS said of them.

Asking is a later station's work (outcomes); it hands its findings over here.
"""

from collections.abc import Collection, Sequence

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from newsletter.approval.models import SenderDomain
from newsletter.catalogue.models import Newsletter


def domains() -> list[str]:
    """The domain of every From address of a newsletter, each once; none where mail stays here."""
    if not settings.PROVE_SENDER_DOMAINS:
        return []
    addresses = Newsletter.objects.values_list("from_email", flat=True)
    return sorted({one.rpartition("@")[2].lower() for one in addresses if "@" in one})


def answers(domains: Collection[str]) -> QuerySet[SenderDomain]:
    """What the DNS said last of these. Nothing where mail stays here: then it does not matter."""
    if not settings.PROVE_SENDER_DOMAINS:
        return SenderDomain.objects.none()
    return SenderDomain.objects.filter(domain__in=domains)


def record(domain: str, findings: Sequence[dict[str, str]]) -> None:
    """Keep what was found: a list of level, about, message and record. An answer that could not
    be had leaves the last one standing."""
    SenderDomain.objects.update_or_create(
        domain=domain, defaults={"checked_at": timezone.now(), "findings": list(findings)}
    )
