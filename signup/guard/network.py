"""Which network a request came from."""

import ipaddress
from collections.abc import Mapping

from django.conf import settings

PREFIX = {4: 24, 6: 48}


def network_of(meta: Mapping[str, object]) -> str | None:
    """Return the network a request came from: IPv4 /24, IPv6 /48; None when it cannot be known.

    `TRUSTED_PROXIES` says how many proxies of our own stand before us; each adds one address at
    the end of X-Forwarded-For, so the client's is that many from the end. What stands further
    left was written by the client and proves nothing. A private address is a proxy that nobody
    told us about: to count it would be to lock out everybody at once.
    """
    hops = int(settings.TRUSTED_PROXIES)
    raw = str(meta.get("REMOTE_ADDR", ""))
    if hops:
        forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        if len(forwarded) < hops:
            return None
        raw = forwarded[-hops].strip()
    try:
        address = ipaddress.ip_address(raw)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global:
        return None
    return str(ipaddress.ip_network(f"{address}/{PREFIX[address.version]}", strict=False))
