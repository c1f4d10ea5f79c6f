"""What the DNS says about a domain that mail comes from: SPF, DKIM, DMARC.

Big mail providers refuse bulk mail from domains where these are not in order (standards D1).
This reads; whether mail really leaves by the hosts that SPF names, only a mail that arrived shows.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import dns.exception
import dns.resolver
import dns.reversename
from dns.resolver import NXDOMAIN, NoAnswer

# RFC 7208 section 4.6.4.
MAX_LOOKUPS = 10
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
# An RSA key of 1024 bits has 162 bytes in this form, one of 2048 bits 294.
_RSA_2048_BYTES = 290


class Level(StrEnum):
    GOOD = "ok"
    WARNING = "warning"
    BAD = "bad"
    # The DNS could not be asked: nothing is known, which is not the same as nothing being there.
    UNASKED = "not known"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    about: str
    message: str


class DnsUnreachable(Exception):
    """No name server answered in time."""


class Resolver(Protocol):
    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name; [] where there is none. Raises DnsUnreachable."""
        ...


class HostResolver(Resolver, Protocol):
    """One that knows machines too. Both raise DnsUnreachable."""

    def names(self, address: str) -> list[str]:
        """Return the names that an IP address goes by (PTR); [] where it has none."""
        ...

    def addresses(self, name: str, *, version: int) -> list[str]:
        """Return a name's addresses of IP version 4 (A) or 6 (AAAA); [] where it has none."""
        ...


class Dns:
    """The system's name servers, or `nameserver`, with a short patience (seconds)."""

    def __init__(
        self, *, nameserver: str | None = None, port: int = 53, patience: float = 3.0
    ) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsUnreachable("This machine has no name server configured.") from error
        if nameserver is not None:
            self._resolver.nameservers = [nameserver]
            self._resolver.port = port
        self._resolver.lifetime = self._resolver.timeout = patience

    def texts(self, name: str) -> list[str]:
        # A record comes in strings of up to 255 bytes that belong together.
        return [b"".join(row.strings).decode("utf-8", "replace") for row in self._rows(name, "TXT")]

    def names(self, address: str) -> list[str]:
        asked = dns.reversename.from_address(address).to_text(omit_final_dot=True)
        return [row.target.to_text(omit_final_dot=True) for row in self._rows(asked, "PTR")]

    def addresses(self, name: str, *, version: int) -> list[str]:
        return [row.address for row in self._rows(name, "A" if version == 4 else "AAAA")]

    def _rows(self, name: str, kind: str) -> list[Any]:
        try:
            return list(self._resolver.resolve(name, kind, raise_on_no_answer=True))
        except (NXDOMAIN, NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnreachable(f"No name server answered about {name}.") from error


def look_at(domain: str, selectors: Sequence[str], resolver: Resolver) -> Iterator[Finding]:
    """Yield what there is to say about one domain. `selectors` are the DKIM keys' names."""
    questions: list[tuple[str, Callable[[], Finding]]] = [
        ("SPF", partial(_spf, domain, resolver)),
        ("DMARC", partial(_dmarc, domain, resolver)),
        *((f"DKIM {one}", partial(_dkim, domain, one, resolver)) for one in selectors),
    ]
    for about, ask in questions:
        try:
            yield ask()
        except DnsUnreachable as error:
            yield Finding(Level.UNASKED, about, str(error))
    if not selectors:
        yield Finding(
            Level.UNASKED,
            "DKIM",
            "Keys can be found by their names only. Give yours with --selector.",
        )


def look_at_envelope(domain: str, resolver: Resolver) -> Finding:
    """Return what there is to say about a domain that bounces go to: SPF is asked of it, and not of
    the From address (RFC 7208 section 2.4)."""
    try:
        return _spf(domain, resolver)
    except DnsUnreachable as error:
        return Finding(Level.UNASKED, "SPF", str(error))


def _spf(domain: str, resolver: Resolver) -> Finding:
    records = [one for one in resolver.texts(domain) if one.lower().split(" ")[0] == "v=spf1"]
    if not records:
        return Finding(
            Level.BAD, "SPF", "There is no record. Add a TXT record v=spf1 … -all for your relay."
        )
    if len(records) > 1:
        return Finding(
            Level.BAD, "SPF", "There are several records; then none counts. Join them into one."
        )
    terms = records[0].lower().split()
    asking = [term for term in terms[1:] if _asks(term)]
    if len(asking) > MAX_LOOKUPS:
        return Finding(
            Level.BAD,
            "SPF",
            f"The record itself asks {len(asking)} look-ups; above {MAX_LOOKUPS} it fails.",
        )
    if "+all" in terms or "all" in terms:
        return Finding(Level.BAD, "SPF", "+all lets everybody send in your name. End it in -all.")
    if not any(term.endswith("all") for term in terms) and not any(
        term.startswith("redirect=") for term in terms
    ):
        return Finding(Level.WARNING, "SPF", "The record does not end in -all or ~all.")
    return Finding(Level.GOOD, "SPF", records[0])


def _asks(term: str) -> bool:
    """True for a mechanism that costs whoever checks a look-up in the DNS."""
    return re.split(r"[:/=]", term.lstrip("+-~?"), maxsplit=1)[0] in _ASKING


def _dmarc(domain: str, resolver: Resolver) -> Finding:
    """The domain's own policy, or that of the nearest domain above it (RFC 9989)."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = ".".join(labels[start:])
        records = [
            one for one in resolver.texts(f"_dmarc.{name}") if one.lower().startswith("v=dmarc1")
        ]
        if len(records) > 1:
            return Finding(
                Level.BAD, "DMARC", f"{name} has several records; then none counts. Keep one."
            )
        if records:
            return _judge_dmarc(name, records[0])
    return Finding(
        Level.BAD,
        "DMARC",
        f"There is no policy. Add TXT _dmarc.{domain} with at least v=DMARC1; p=none; rua=mailto:…",
    )


def _judge_dmarc(name: str, record: str) -> Finding:
    tags = tags_of(record)
    policy = tags.get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        return Finding(Level.BAD, "DMARC", f"{name} has no valid policy (p=) in: {record}")
    if policy == "none":
        return Finding(
            Level.WARNING,
            "DMARC",
            f"{name} only watches (p=none). Enough for bulk mail; forgers are not stopped.",
        )
    return Finding(Level.GOOD, "DMARC", f"{name}: {record}")


def _dkim(domain: str, selector: str, resolver: Resolver) -> Finding:
    about = f"DKIM {selector}"
    name = f"{selector}._domainkey.{domain}"
    records = [one for one in resolver.texts(name) if "p=" in one]
    if not records:
        return Finding(Level.BAD, about, f"There is no key at {name}.")
    tags = tags_of(records[0])
    if not tags.get("p"):
        return Finding(Level.BAD, about, f"The key at {name} was revoked (p= is empty).")
    try:
        key = base64.b64decode("".join(tags["p"].split()), validate=True)
    except binascii.Error:
        return Finding(Level.BAD, about, f"The key at {name} is not valid base64.")
    if tags.get("k", "rsa") == "rsa" and len(key) < _RSA_2048_BYTES:
        return Finding(Level.WARNING, about, "The RSA key is shorter than 2048 bits (RFC 8301).")
    return Finding(Level.GOOD, about, f"There is a key at {name}.")


def tags_of(record: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC record, names in lower case (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
