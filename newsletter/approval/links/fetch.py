"""Ask whether a web address answers, without being led anywhere we must not go.

An editor's link, or a page that redirects, could name a machine inside our own network. So each
hop is resolved by us, refused unless every address it has is public, and connected to by that very
address: a name that answers differently a moment later (DNS rebinding) gains nothing. Only http
and https on their own ports, few redirects, a deadline over all of it, and no body is read
(standards J7).
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import dns.exception
import dns.resolver

from newsletter.approval.models import LinkCheck

Verdict = LinkCheck.Verdict

MAX_REDIRECTS = 5
MAX_ADDRESS = 2_000
# Seconds: over all hops, and for any one step of one.
DEADLINE = 12.0
PATIENCE = 5.0
PORTS = {"http": 80, "https": 443}
_AGENT = "Wellread link check"
_NO_HEAD = frozenset({400, 403, 404, 405, 406, 409, 429, 500, 501, 503})
_GUARDED = frozenset({401, 402, 403, 407, 429, 451, 999})
_GONE = frozenset({404, 410})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: LinkCheck.Verdict
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How names are resolved, which addresses may be asked, and by which ports."""

    resolve: Callable[[str, float], Sequence[Address]]
    allowed: Callable[[Address], bool]
    ports: dict[str, int]


class _Forbidden(Exception):
    pass


class _Silent(Exception):
    pass


def is_public(address: Address) -> bool:
    """False for private, loopback, link-local, shared, multicast and reserved ranges, also when
    they are wrapped into IPv6 (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if wrapped is not None:
            return is_public(wrapped)
        if address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, patience: float) -> list[Address]:
    """Return every address of a host; [] where there is none. Raises nothing."""
    try:
        return [ipaddress.ip_address(host.strip("[]"))]
    except ValueError:
        pass
    try:
        found = dns.resolver.Resolver().resolve_name(host, lifetime=patience)
        return [ipaddress.ip_address(one) for one in found.addresses()]
    except (dns.exception.DNSException, OSError, ValueError):
        return []


THE_WEB = Way(resolve, is_public, PORTS)


def ask(url: str, *, way: Way = THE_WEB, now: Callable[[], float] = time.monotonic) -> Answer:
    """Say what stands at `url`. Takes at most about DEADLINE seconds. Raises nothing."""
    until = now() + DEADLINE
    try:
        for _hop in range(MAX_REDIRECTS + 1):
            status, location = _look(url, way, until, now)
            if status not in _REDIRECTS or not location:
                return Answer(_judge(status), status)
            url = urljoin(url, location)
        return Answer(Verdict.SILENT, detail="It redirects in circles.")
    except _Forbidden as refusal:
        return Answer(Verdict.FORBIDDEN, detail=str(refusal)[:200])
    except _Silent as silence:
        return Answer(Verdict.SILENT, detail=str(silence)[:200])


def _judge(status: int) -> LinkCheck.Verdict:
    if status < 400:
        return Verdict.FINE
    if status in _GUARDED:
        return Verdict.GUARDED
    # Another 4xx is an answer about the way we asked, not about the page.
    return Verdict.GONE if status in _GONE else Verdict.SILENT


def _look(url: str, way: Way, until: float, now: Callable[[], float]) -> tuple[int, str]:
    parts = _parts(url, way)
    host = str(parts.hostname)
    address = _address_of(host, way, min(PATIENCE, until - now()))
    status, location = _request("HEAD", parts, address, way, until - now())
    if status in _NO_HEAD:
        # Not every server knows HEAD. The body is never read.
        status, location = _request("GET", parts, address, way, until - now())
    return status, location


def _parts(url: str, way: Way) -> SplitResult:
    if len(url) > MAX_ADDRESS:
        raise _Forbidden("The address is too long.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _Forbidden("That is no web address.") from error
    if parts.scheme not in way.ports or not parts.hostname:
        raise _Forbidden("Only http and https are followed.")
    if parts.username or parts.password:
        raise _Forbidden("An address with a name or password in it is not followed.")
    if port not in (None, way.ports[parts.scheme]):
        raise _Forbidden("Only the usual ports are asked.")
    return parts


def _address_of(host: str, way: Way, patience: float) -> Address:
    if patience <= 0:
        raise _Silent("It took too long.")
    try:
        name = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise _Silent("That name cannot exist.") from error
    found = way.resolve(name, patience)
    if not found:
        raise _Silent(f"No address is known for {host}.")
    # One private address among public ones is how rebinding begins.
    if not all(way.allowed(one) for one in found):
        raise _Forbidden(f"{host} is an address inside a network, not of the web.")
    return found[0]


def _request(
    method: str, parts: SplitResult, address: Address, way: Way, patience: float
) -> tuple[int, str]:
    if patience <= 0:
        raise _Silent("It took too long.")
    connection = _Pinned(parts, address, way.ports[parts.scheme], min(PATIENCE, patience))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(
            method,
            _ascii(target),
            headers={"User-Agent": _AGENT, "Accept": "*/*", "Connection": "close"},
        )
        response = connection.getresponse()
        return response.status, response.getheader("Location", "") or ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Silent(f"{parts.hostname} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()


def _ascii(target: str) -> str:
    return quote(target, safe="/%:=&?~#+!$,;'@()*[]")


class _Pinned(http.client.HTTPConnection):
    """Speaks to the host by name, and connects to the one address that was looked at."""

    def __init__(self, parts: SplitResult, address: Address, port: int, patience: float) -> None:
        super().__init__(str(parts.hostname), port, timeout=patience)
        self._pinned = str(address)
        self._tls = parts.scheme == "https"
        self.default_port = port

    def connect(self) -> None:
        plain = socket.create_connection((self._pinned, self.port), self.timeout)
        self.sock = plain
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(plain, server_hostname=self.host)
