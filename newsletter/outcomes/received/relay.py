"""How the relay handed the mail over: encrypted, and from an address with a name (standards D)."""

from collections.abc import Iterator
from ipaddress import ip_address

from newsletter.outcomes.domain_records import DnsUnreachable, Finding, HostResolver, Level
from newsletter.outcomes.received.hops import Address, Hop

# RFC 7208 section 4.6.4 has whoever checks look at no more of an address's names.
_MOST_NAMES = 10
# RFC 8996 withdrew what is older than 1.2.
_OLD_TLS = frozenset({"1", "1.0", "1.1"})


def look_at(hop: Hop | None, resolver: HostResolver) -> Iterator[Finding]:
    """Yield what the receiver's own Received line shows of the relay."""
    if hop is None:
        yield Finding(
            Level.UNASKED,
            "Relay",
            "No Received line names an address outside the receiver's house. Send a test to a "
            "mailbox at another provider than the one that your relay stands at.",
        )
        return
    yield _encryption(hop)
    if hop.address:
        yield _name(hop.address, resolver)


def _encryption(hop: Hop) -> Finding:
    if not hop.is_encrypted:
        return Finding(
            Level.BAD,
            "TLS",
            f"{hop.by or 'The receiver'} took the mail unencrypted. Have the relay use STARTTLS "
            "(Postfix: smtp_tls_security_level = may).",
        )
    if hop.tls_version in _OLD_TLS:
        return Finding(
            Level.WARNING,
            "TLS",
            f"The relay speaks TLS {hop.tls_version}, which was withdrawn (RFC 8996). Allow 1.2 "
            "and 1.3.",
        )
    return Finding(Level.GOOD, "TLS", f"Handed over encrypted to {hop.by or 'the receiver'}.")


def _name(address: Address, resolver: HostResolver) -> Finding:
    """Forward-confirmed reverse DNS: the address has a name, and the name has that address."""
    about = "Relay's name"
    try:
        names = resolver.names(str(address))[:_MOST_NAMES]
        if not names:
            return Finding(
                Level.BAD,
                about,
                f"{address} has no name (PTR). Have whoever gave you the address set it to the "
                "relay's host name.",
            )
        for name in names:
            if address in map(ip_address, resolver.addresses(name, version=address.version)):
                return Finding(Level.GOOD, about, f"{address} is {name}, there and back (PTR).")
    except DnsUnreachable as error:
        return Finding(Level.UNASKED, about, str(error))
    kind = "A" if address.version == 4 else "AAAA"
    return Finding(
        Level.BAD,
        about,
        f"{address} says that it is {names[0]}, and {names[0]} does not have that address. Add "
        f"{kind} {address} to it, or set the PTR record to the name that has it.",
    )
