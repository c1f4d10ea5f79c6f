"""Whether mail providers will believe that mail from this domain is ours (standards D1).

Asking the DNS is a task's work; here only its last answer is read. With the finding come the
records to copy into the domain's zone.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, mended_in, warning
from newsletter.approval.sender_domains import answers
from newsletter.catalogue.models import Newsletter


def findings(newsletter: Newsletter) -> Iterator[Finding]:
    domain = newsletter.from_email.rpartition("@")[2].lower()
    row = answers([domain]).first()
    if row is None:
        return
    bad = [one for one in row.findings if one["level"] == "bad"]
    doubtful = [one for one in row.findings if one["level"] == "warning"]
    if bad:
        found = error(
            "domain_unproven",
            _("Mail from %(domain)s would be refused or end in junk. %(what)s")
            % {"domain": domain, "what": _said(bad)},
            "newsletter",
            details=_records(bad),
        )
        yield mended_in(newsletter, "from_email", found)
    if doubtful:
        found = warning(
            "domain_weak",
            _("Mail from %(domain)s can be sent, and could be proven better. %(what)s")
            % {"domain": domain, "what": _said(doubtful)},
            "newsletter",
            details=_records(doubtful),
        )
        yield mended_in(newsletter, "from_email", found)


def _said(found: list[dict[str, str]]) -> str:
    return " ".join(f"{one['about']}: {one['message']}" for one in found)


def _records(found: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(one["record"] for one in found if one.get("record"))
