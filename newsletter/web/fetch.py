"""Ask a web address for what stands there, whoever wrote the address.

An editor's link, a feed, or a page that redirects could name a machine inside our own network. So
each hop is resolved by us, refused unless every address it has is public, and connected to by that
very address: a name that answers differently a moment later (DNS rebinding) gains nothing. Only
http and https on their own ports, few redirects, a limit of bytes, and one deadline that a server
cannot stretch by sending a byte now and then (standards J7).
"""

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import dns.exception
import dns.resolver

MAX_REDIRECTS = 5
MAX_ADDRESS = 2_000
# Seconds, for any one step of a hop.
PATIENCE = 5.0
PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_CHUNK = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Clock = Callable[[], float]


class Trouble(Exception):
    """No answer that could be used; the text says why, in words for staff."""


class Forbidden(Trouble):
    """It leads into a private network, or by no way that we go."""


class Silent(Trouble):
    """Nobody answered, not in time, or not to the end."""


class TooLarge(Trouble):
    """More bytes than were asked for, as they came or once unpacked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one server said. `moved_to` is where redirects meant for good lead, else ""."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How names are resolved, which addresses may be asked, and by which ports."""

    resolve: Callable[[str, float], Sequence[Address]]
    allowed: Callable[[Address], bool]
    ports: dict[str, int]


def get(
    url: str,
    *,
    headers: Mapping[str, str],
    most_bytes: int,
    seconds: float,
    way: Way | None = None,
    now: Clock = time.monotonic,
) -> Answer:
    """Return what stands at `url` after redirects, with its body. Takes about `seconds` at most.

    Raises Forbidden, Silent or TooLarge.
    """
    until = now() + seconds
    chosen = way or THE_WEB

    def hop(address: str) -> Answer:
        return request("GET", address, chosen, until, headers, most_bytes=most_bytes, now=now)

    return follow(url, hop)


def follow(url: str, hop: Callable[[str], Answer]) -> Answer:
    """Return the first answer of `hop` that is no redirect. Raises what `hop` does, and Silent."""
    moved_to, for_good = "", True
    for _hop in range(MAX_REDIRECTS + 1):
        answer = hop(url)
        location = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not location:
            return Answer(url, answer.status, answer.headers, answer.body, moved_to)
        try:
            url = urljoin(url, location)
        except ValueError as error:
            raise Forbidden("It redirects to something that is no web address.") from error
        for_good = for_good and answer.status in _FOR_GOOD
        moved_to = url if for_good else moved_to
    raise Silent("It redirects in circles.")


def request(
    method: str,
    url: str,
    way: Way,
    until: float,
    headers: Mapping[str, str],
    *,
    most_bytes: int = 0,
    now: Clock = time.monotonic,
) -> Answer:
    """Ask one server once. Without `most_bytes` no body is read. Raises as `get` does."""
    parts = _parts(url, way)
    address = _address_of(str(parts.hostname), way, min(PATIENCE, until - now()))
    if until - now() <= 0:
        raise Silent("It took too long.")
    connection = _Pinned(parts, address, way.ports[parts.scheme], until, now)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, _ascii(target), headers={**headers, "Connection": "close"})
        with contextlib.closing(connection.getresponse()) as response:
            known = {name.lower(): value for name, value in response.getheaders()}
            wanted = most_bytes and method != "HEAD" and response.status not in _REDIRECTS
            body = _body(response, known, most_bytes) if wanted else b""
            return Answer(url, response.status, known, body)
    except TimeoutError as error:
        raise Silent(f"{parts.hostname} took too long.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Silent(f"{parts.hostname} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()


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
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host.strip("[]"))]
    try:
        found = dns.resolver.Resolver().resolve_name(host, lifetime=patience)
        return [ipaddress.ip_address(one) for one in found.addresses()]
    except (dns.exception.DNSException, OSError, ValueError):
        return []


THE_WEB = Way(resolve, is_public, PORTS)


def _parts(url: str, way: Way) -> SplitResult:
    if len(url) > MAX_ADDRESS:
        raise Forbidden("The address is too long.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden("That is no web address.") from error
    if parts.scheme not in way.ports or not parts.hostname:
        raise Forbidden("Only http and https are followed.")
    if parts.username or parts.password:
        raise Forbidden("An address with a name or password in it is not followed.")
    if port not in (None, way.ports[parts.scheme]):
        raise Forbidden("Only the usual ports are asked.")
    return parts


def _address_of(host: str, way: Way, patience: float) -> Address:
    if patience <= 0:
        raise Silent("It took too long.")
    try:
        name = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise Silent("That name cannot exist.") from error
    found = way.resolve(name, patience)
    if not found:
        raise Silent(f"No address is known for {host}.")
    # One private address among public ones is how rebinding begins.
    if not all(way.allowed(one) for one in found):
        raise Forbidden(f"{host} is an address inside a network, not of the web.")
    return found[0]


def _body(response: http.client.HTTPResponse, headers: Mapping[str, str], most: int) -> bytes:
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Silent(f"It answers in an encoding that was not asked for ({coding[:40]}).")
    # 16: with a gzip header. What is unpacked is limited as well: 1 MB can become a gigabyte.
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in coding else None
    whole = bytearray()
    came = 0
    while chunk := response.read(_CHUNK):
        came += len(chunk)
        try:
            whole += unpack.decompress(chunk, most + 1 - len(whole)) if unpack else chunk
        except zlib.error as error:
            raise Silent("Its compressed answer is broken.") from error
        if came > most or len(whole) > most:
            raise TooLarge(f"It is larger than {most // 1_000_000} MB.")
    if response.length or (unpack is not None and not unpack.eof):
        raise Silent("The answer was cut off on its way.")
    return bytes(whole)


def _ascii(target: str) -> str:
    return quote(target, safe="/%:=&?~#+!$,;'@()*[]")


class _Pinned(http.client.HTTPConnection):
    """Speaks to the host by name, and connects to the one address that was looked at."""

    def __init__(
        self, parts: SplitResult, address: Address, port: int, until: float, now: Clock
    ) -> None:
        super().__init__(str(parts.hostname), port)
        self._pinned = str(address)
        self._tls = parts.scheme == "https"
        self._until = until
        self._now = now
        self.default_port = port

    def connect(self) -> None:
        patience = max(0.001, min(PATIENCE, self._until - self._now()))
        line = socket.create_connection((self._pinned, self.port), patience)
        if self._tls:
            try:
                line = ssl.create_default_context().wrap_socket(line, server_hostname=self.host)
            except BaseException:
                line.close()
                raise
        self.sock = _Timed(line, self._until, self._now)


class _Timed:
    """A socket, as much of it as http.client uses, whose every read ends by the deadline."""

    def __init__(self, line: socket.socket, until: float, now: Clock) -> None:
        self._line = line
        self._until = until
        self._now = now
        self._readers = 0
        self._closed = False

    def sendall(self, content: bytes) -> None:
        self._set_timeout()
        self._line.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reading(self))

    def read_into(self, buffer: memoryview) -> int:
        self._set_timeout()
        return self._line.recv_into(buffer)

    def close(self) -> None:
        """Like a socket: http.client closes it before the body is read from its file."""
        self._closed = True
        if not self._readers:
            self._line.close()

    def reader_closed(self) -> None:
        self._readers -= 1
        if self._closed:
            self.close()

    def _set_timeout(self) -> None:
        left = self._until - self._now()
        if left <= 0:
            raise TimeoutError
        self._line.settimeout(min(PATIENCE, left))


class _Reading(io.RawIOBase):
    def __init__(self, line: _Timed) -> None:
        super().__init__()
        self._timed = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._timed.read_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.reader_closed()
