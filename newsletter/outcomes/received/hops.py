"""The way a mail came: Received lines, from the receiver's own downwards (RFC 5321 section 4.4)."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from newsletter.outcomes.received.mail import Mail
from newsletter.outcomes.received.organisation import house
from newsletter.outcomes.received.receiver import without_comments

Address = IPv4Address | IPv6Address

# Addresses that only a house's own machines have (RFC 1918, 4193, 6598 and their like).
_INSIDE = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
            *("100.64.0.0/10", "::1/128", "fe80::/10", "fc00::/7"),
        ),
    )
)
_WORD = r"[^\s();]+"
_BY = re.compile(rf"\bby\s+({_WORD})", re.IGNORECASE)
_WITH = re.compile(rf"\bwith\s+({_WORD})", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\[(?:IPv6:)?([0-9a-f:.]+)\]|\(([0-9a-f:.]+)\)|(?<!\S)([0-9a-f:.]*[0-9a-f])(?!\S)",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
# Postfix: using TLSv1.3; Gmail, Outlook: version=TLS1_3; Exim: (TLS1.3).
_TLS = re.compile(r"\bTLS ?v?(1(?:[._][0-3])?)\b", re.IGNORECASE)
# The registry of "with" (RFC 3848, RFC 6531), and what Yahoo and Exim write.
_WITH_TLS = {
    *("ESMTPS", "ESMTPSA", "LMTPS", "LMTPSA", "SMTPS", "ESMTPSS"),
    *("UTF8SMTPS", "UTF8SMTPSA", "UTF8LMTPS", "UTF8LMTPSA"),
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One handing over. `hosts` are the names that the giver goes by, its own word for it first."""

    hosts: tuple[str, ...]
    address: Address | None
    by: str
    is_encrypted: bool
    tls_version: str


def entrance(mail: Mail) -> Hop | None:
    """Return the hop at which the mail came into the receiver's house: the topmost from an outside
    address by a host that is none of the receiver's own. None where no line tells.
    """
    receivers: set[str] = set()
    for one in mail.all("Received"):
        hop = read(one.value)
        if hop is None:
            continue
        if hop.by:
            receivers.add(house(hop.by))
        if hop.address is None or any(
            hop.address in network for network in _INSIDE if network.version == hop.address.version
        ):
            continue
        if hop.hosts and receivers & set(map(house, hop.hosts)):
            continue
        return hop
    return None


def read(value: str) -> Hop | None:
    """Return what a Received line says; None where it does not say from whom."""
    plain = without_comments(value)
    by = _BY.search(plain)
    start = re.search(r"\bby\s", value, re.IGNORECASE)
    giver = value[: start.start()] if start else value
    if not re.match(r"\s*from\s", giver, re.IGNORECASE):
        return None
    with_ = _WITH.search(plain)
    version = _TLS.search(value)
    protocol = with_[1].upper() if with_ else ""
    return Hop(
        hosts=tuple(dict.fromkeys(name.lower() for name in _HOST.findall(giver))),
        address=_address(giver),
        by=by[1].lower().rstrip(".") if by else "",
        is_encrypted=protocol in _WITH_TLS or version is not None,
        tls_version=version[1].replace("_", ".") if version else "",
    )


def _address(giver: str) -> Address | None:
    for groups in _ADDRESS.findall(giver):
        try:
            return ip_address("".join(groups))
        except ValueError:
            continue
    return None
