"""EMAIL_URL, read and judged."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from newsletter.transports.errors import Misconfigured

_PORTS = {"smtp": 25, "smtps": 465}
_YES = {"1", "yes", "true", "on"}
_NO = {"0", "no", "false", "off"}
_OPTIONS = {
    "starttls", "health", "timeout", "hello", "lines", "messages", "pipelining", "priority",
    "rate", "weight", "dsn",
}  # fmt: skip
# Between two relays; a comma may also stand within a URL.
_BETWEEN = re.compile(r"[\s,]+(?=\w+://)")

# What a command may hold (RFC 5321 section 4.1.2): one word.
_HELLO = re.compile(r"[\x21-\x7e]*")

# Eight connections fill two cores and hide a round trip of some milliseconds.
LINES = 8
MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed over, and how safely.

    `smtps://` speaks TLS from the first byte. `smtp://` demands STARTTLS unless the relay is on
    this machine or the URL says `starttls=no`; there is no falling back to plain text
    (RFC 3207 section 6, RFC 8314).
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    starttls: bool = False
    # May carry health data: said in the URL (`health=yes`), or the relay is this very machine.
    health: bool = False
    # Caps every phase's own timeout (seconds); None leaves RFC 5321's.
    timeout: float | None = None
    # What we call ourselves in EHLO; "" lets the operating system say.
    hello: str = ""
    # Connections of one worker process at most.
    lines: int = LINES
    # Messages over one connection at most; 0 lets the relay say when it has had enough.
    messages: int = 0
    # Whether to pipeline where the relay offers it.
    pipelining: bool = True
    # Whether to say how a bounce should look where the relay offers it (RFC 3461).
    dsn: bool = True
    # A relay of a higher number is used while none of a lower one can be had.
    priority: int = 1
    # The share of the connections, among relays of one priority.
    weight: int = 1
    # Messages a second at most, over all workers; 0 leaves it to the relay.
    rate: float = 0.0

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises Misconfigured, without the password, in words that say what to write."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Misconfigured(f"EMAIL_URL cannot be read: {error}.") from error
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Misconfigured(
                "EMAIL_URL looks like smtp://relay.example:587?starttls=yes or "
                "smtps://user:password@relay.example:465."
            )
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        unknown = options.keys() - _OPTIONS
        if unknown:
            raise Misconfigured(
                f"EMAIL_URL has unknown options: {', '.join(sorted(unknown))}. "
                f"Known are {', '.join(sorted(_OPTIONS))}."
            )
        hello = options.get("hello", "")
        if not (_is_host(parts.hostname) and _HELLO.fullmatch(hello)):
            raise Misconfigured(
                "EMAIL_URL names a relay by its host name or address, and says hello with a name "
                "in ASCII: relay.example."
            )
        here = _is_this_machine(parts.hostname)
        tls = parts.scheme == "smtps"
        relay = cls(
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
            starttls=not tls and _truth("starttls", options, default=not here),
            health=_truth("health", options, default=here),
            timeout=_seconds(options.get("timeout")),
            hello=hello,
            lines=_whole("lines", options, default=LINES, least=1, most=MOST_LINES),
            messages=_whole("messages", options, default=0, least=0, most=1_000_000),
            pipelining=_truth("pipelining", options, default=True),
            dsn=_truth("dsn", options, default=True),
            priority=_whole("priority", options, default=1, least=1, most=9),
            weight=_whole("weight", options, default=1, least=1, most=100),
            rate=_rate(options.get("rate")),
        )
        if relay.user and not (relay.tls or relay.starttls or here):
            raise Misconfigured(
                "EMAIL_URL sends a password over an open line. Take starttls=no away, or use "
                "smtps:// (RFC 4954: authentication inside TLS only)."
            )
        return relay

    def __repr__(self) -> str:
        return f"Relay({self.where})"

    @property
    def where(self) -> str:
        """Host and port, for people: never the password."""
        return f"{self.host}:{self.port}"


def relays_from(urls: str) -> list[Relay]:
    """Return the relays of EMAIL_URL: one, or several with blanks or commas between them.

    Raises Misconfigured.
    """
    return [Relay.from_url(url) for url in _BETWEEN.split(urls.strip().rstrip(","))]


def _is_host(host: str) -> bool:
    """Whether the resolver can be asked for it, which raises for what can be no name at all."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _truth(name: str, options: dict[str, str], *, default: bool) -> bool:
    value = options.get(name, "").lower()
    if not value:
        return default
    if value not in _YES | _NO:
        raise Misconfigured(f"EMAIL_URL: {name} is yes or no, not {value!r}.")
    return value in _YES


def _whole(name: str, options: dict[str, str], *, default: int, least: int, most: int) -> int:
    value = options.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise Misconfigured(f"EMAIL_URL: {name} is a whole number from {least} to {most}.")
    return int(value)


def _rate(value: str | None) -> float:
    if value is None:
        return 0.0
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= 100_000:
        raise Misconfigured("EMAIL_URL: rate is messages a second, from 0.1 to 100000.")
    return rate


def _seconds(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise Misconfigured("EMAIL_URL: timeout is a number of seconds, from 1 to 3600.")
    return seconds
