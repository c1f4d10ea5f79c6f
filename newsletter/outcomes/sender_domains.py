"""Look up the domains that newsletters come from, for preflight to read (approval.sender_domains).

With each thing that is missing goes the record to copy into the domain's zone.
"""

from urllib.parse import urlsplit

from django.conf import settings

from newsletter.approval import sender_domains
from newsletter.outcomes.domain_records import (
    Dns,
    DnsUnreachable,
    Finding,
    Level,
    Resolver,
    look_at,
)

# What providers ask to be included, by their names here (ESP).
_INCLUDES = {
    "amazon_ses": "amazonses.com",
    "brevo": "spf.brevo.com",
    "mailgun": "mailgun.org",
    "mailjet": "spf.mailjet.com",
    "postmark": "spf.mtasv.net",
    "sendgrid": "sendgrid.net",
    "sparkpost": "sparkpostmail.com",
}


def look_at_all(resolver: Resolver | None = None) -> int:
    """Ask about every domain and hand the answers over. Returns how many were answered.

    A domain of which nothing could be learnt keeps its last answer.
    """
    if resolver is None:
        try:
            resolver = Dns()
        except DnsUnreachable:
            return 0
    answered = 0
    for domain in sender_domains.domains():
        found = list(look_at(domain, settings.DKIM_SELECTORS, resolver))
        known = [one for one in found if one.level is not Level.UNASKED]
        if not known:
            continue
        sender_domains.record(domain, [_as_row(one, domain) for one in known])
        answered += 1
    return answered


def _as_row(finding: Finding, domain: str) -> dict[str, str]:
    record = "" if finding.level is Level.GOOD else _record(finding.about, domain)
    return {
        "level": str(finding.level),
        "about": finding.about,
        "message": finding.message,
        "record": record,
    }


def _record(about: str, domain: str) -> str:
    if about == "SPF":
        return f'{domain}. IN TXT "v=spf1 {_senders()} -all"'
    if about == "DMARC":
        return f'_dmarc.{domain}. IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}"'
    selector = about.removeprefix("DKIM").strip()
    return f'{selector}._domainkey.{domain}. IN TXT "v=DKIM1; k=rsa; p=(the key your relay shows)"'


def _senders() -> str:
    """Who may send in the domain's name: the provider, or our relay."""
    if include := _INCLUDES.get(settings.ESP.lower()):
        return f"include:{include}"
    host = urlsplit(settings.EMAIL_URL).hostname or ""
    return f"a:{host}" if "." in host and not host.replace(".", "").isdigit() else "mx"
