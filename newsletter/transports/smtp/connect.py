"""A connection that is ready for mail: greeted, secured, logged in. smtplib does this part."""

import binascii
import logging
import smtplib
import socket
import ssl
import time
from functools import cache

from newsletter.transports.errors import LineDown, Misconfigured, TransportError
from newsletter.transports.relay import Relay
from newsletter.transports.smtp.envelope import Offer

log = logging.getLogger(__name__)

# Seconds for the TCP connection and TLS; RFC 5321 section 4.5.3.2 names none.
CONNECT = 30.0
# For the greeting and each command until the line stands (RFC 5321 section 4.5.3.2.1).
COMMAND = 300.0
# Two servers that take the connection and are silent are waited for, and no third.
LONGEST = 1.5 * COMMAND
# Seconds for which an address that gave no line comes after the relay's others.
POOR = 300.0

# Until when (steady clock) each address and port counts as one.
_poor: dict[tuple[str, int], float] = {}


def connect(relay: Relay) -> tuple[socket.socket, Offer]:
    """Return a socket that is ready for MAIL, and what the relay's latest EHLO reply offered.

    Each of the relay's addresses is tried in its turn, not only until one answers: a server that
    is overloaded or dead says 421, or nothing (RFC 5321 section 5.1). A wrong password is tried
    once. Raises LineDown or Misconfigured. Blocks, at most for the timeouts above or the relay's
    own, at each address; no other one is begun after LONGEST.
    """
    begun = time.monotonic()
    # In the resolver's order, but for those that were no good a while ago.
    addresses = sorted(_addresses(relay), key=lambda one: _poor.get((one, relay.port), 0.0) > begun)
    for number, address in enumerate(addresses, start=1):
        try:
            return _connect(relay, address)
        except LineDown as error:
            now = time.monotonic()
            _poor[address, relay.port] = now + POOR
            if number == len(addresses) or now - begun > LONGEST:
                raise
            log.info("%s at %s: %s", relay.where, address, error)
    raise AssertionError("A name without an address is an error of the resolver.")


def _addresses(relay: Relay) -> list[str]:
    """Return the relay's addresses, the one to be preferred first."""
    try:
        found = socket.getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise LineDown(f"No connection to {relay.where}: {error}") from error
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


def _connect(relay: Relay, address: str) -> tuple[socket.socket, Offer]:
    try:
        smtp = _connected(relay, address)
    except smtplib.SMTPResponseException as error:
        raise _refused(error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Misconfigured(f"The relay {relay.where} does not offer it: {error}") from error
    except ssl.SSLCertVerificationError as error:
        raise Misconfigured(
            f"The certificate of {relay.where} does not hold: {error.verify_message}."
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise LineDown(f"No connection to {relay.where}: {error}") from error
    sock = smtp.sock
    assert sock is not None
    offer = _offer(smtp, relay)
    # From here on the socket is ours; smtplib's reader lets go of it.
    if smtp.file is not None:
        smtp.file.close()
    smtp.file = smtp.sock = None
    sock.setblocking(False)
    return sock, offer


class _Patient(smtplib.SMTP):
    """Waits for the greeting as long as for any command: smtplib has one timeout for both, and
    some relays let everybody wait, to see who is impatient."""

    patience = COMMAND
    # Which of the host's addresses.
    address: str

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock: socket.socket = super()._get_socket(self.address, port, timeout)  # type: ignore[misc]
        sock.settimeout(self.patience)
        return sock


class _PatientInTls(_Patient, smtplib.SMTP_SSL):
    """The same from the first byte on."""


def _connected(relay: Relay, address: str) -> smtplib.SMTP:
    timeout = _capped(CONNECT, relay)
    hello = relay.hello or _our_name()
    smtp: _Patient
    if relay.tls:
        trust = _trust(ssl.get_default_verify_paths())
        smtp = _PatientInTls(timeout=timeout, context=trust, local_hostname=hello)
    else:
        smtp = _Patient(timeout=timeout, local_hostname=hello)
    smtp.patience, smtp.address = _capped(COMMAND, relay), address
    smtp._host = relay.host  # type: ignore[attr-defined]  # the name that the certificate must bear
    try:
        code, text = smtp.connect(relay.host, relay.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        assert smtp.sock is not None
        # What we write is whole commands or whole messages: Nagle would only add waiting.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        smtp.ehlo_or_helo_if_needed()
        if relay.starttls:
            # Raises when it is not offered; there is no going on in plain text. smtplib forgets
            # what was advertised or said before, as RFC 3207 section 4.2 demands.
            smtp.starttls(context=_trust(ssl.get_default_verify_paths()))
            smtp.ehlo_or_helo_if_needed()
        if relay.user:
            _log_in(smtp, relay)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, relay: Relay) -> None:
    """AUTH PLAIN (RFC 4616), or LOGIN where only that is offered.

    One try, since wrong ones lock accounts. Not smtplib's own, which knows only ASCII passwords.
    """
    user, password = relay.user.encode(), relay.password.encode()
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        secret = b"\0".join((b"", user, password))
        code, text = smtp.docmd("AUTH", f"PLAIN {_base64(secret)}")
        if code == 334:
            # It did not take what came with the command, and asks for it: no second try.
            code, text = smtp.docmd(_base64(secret))
    elif "LOGIN" in offered:
        code, text = smtp.docmd("AUTH", "LOGIN")
        for answer in (user, password):
            if code == 334:
                code, text = smtp.docmd(_base64(answer))
    else:
        raise smtplib.SMTPNotSupportedError("AUTH PLAIN or LOGIN.")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()


def _offer(smtp: smtplib.SMTP, relay: Relay) -> Offer:
    limit = smtp.esmtp_features.get("size", "").strip()
    return Offer(
        pipelining=relay.pipelining and smtp.has_extn("pipelining"),
        size=smtp.has_extn("size"),
        limit=int(limit) if limit.isascii() and limit.isdigit() else 0,
        eight_bit=smtp.has_extn("8bitmime"),
        smtputf8=smtp.has_extn("smtputf8"),
        dsn=relay.dsn and smtp.has_extn("dsn"),
    )


def _refused(error: smtplib.SMTPResponseException) -> TransportError:
    """The relay's answer to connecting or logging in. A 4yz passes, a 5yz needs a person."""
    raw = error.smtp_error
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    said = f"{error.smtp_code} {' '.join(text.split())}"[:200]
    if 500 <= error.smtp_code < 600:
        return Misconfigured(f"The relay does not let us in: {said}")
    return LineDown(f"The relay is not ready: {said}")


def _capped(seconds: float, relay: Relay) -> float:
    return min(seconds, relay.timeout) if relay.timeout else seconds


@cache
def _our_name() -> str:
    """What smtplib would say in EHLO, asked of the resolver once and not for each connection."""
    name = socket.getfqdn()
    if "." in name:
        return name
    try:
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    except OSError:
        return "[127.0.0.1]"


@cache
def _trust(_where: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    """Whom to trust: the system's authorities, or SSL_CERT_FILE's. Reading them takes 20 ms."""
    return ssl.create_default_context()
