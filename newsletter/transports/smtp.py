"""SMTP, one message at a time, on a connection that is kept between messages.

smtplib speaks the commands; the content is written by us, because it is ready for the wire and
because it matters in which phase a line breaks.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import idna

from newsletter.transports.classify import classify
from newsletter.transports.errors import LineDown, Misconfigured, TransportError
from newsletter.transports.protocol import Answered, Outgoing
from newsletter.transports.relay import Relay
from newsletter.transports.values import Envelope, Outcome, Receipt

# Seconds to wait in each phase: RFC 5321 section 4.5.3.2. One timeout for all would either give
# up on a relay that is storing a message, and so make an unknown, or hang on a dead one.
CONNECT = 30.0
COMMAND = 300.0
DATA = 120.0
CONTENT = 180.0
FINAL = 600.0

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_LINE_START_DOT = re.compile(rb"(?m)^\.")


class _Reply(NamedTuple):
    code: int
    enhanced: str
    text: str


class _Broken(Exception):
    """The line broke, or the relay answered something that is no SMTP reply."""


class SmtpTransport:
    """One connection to one relay. Not safe to share between threads."""

    name = "smtp"
    lines = 1

    def __init__(self, relay: Relay) -> None:
        self.allowed_for_health = relay.health
        self._relay = relay
        self._smtp: smtplib.SMTP | None = None
        # Messages that this connection has carried: an old connection may just be worn out.
        self._carried = 0

    # --- The line -----------------------------------------------------------------------

    def open(self) -> None:
        """Connect, secure the line and log in. Raises LineDown or Misconfigured."""
        if self._smtp is not None:
            return
        try:
            self._smtp = self._connected()
        except smtplib.SMTPResponseException as error:
            raise _refused_line(error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(f"The relay {self._where} does not offer it: {error}") from error
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(
                f"The certificate of {self._where} does not hold: {error.verify_message}."
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise LineDown(f"No connection to {self._where}: {error}") from error
        self._carried = 0

    def _connected(self) -> smtplib.SMTP:
        relay = self._relay
        connect = self._capped(CONNECT)
        smtp: smtplib.SMTP
        hello = relay.hello or _our_name()
        if relay.tls:
            context = ssl.create_default_context()
            smtp = smtplib.SMTP_SSL(timeout=connect, context=context, local_hostname=hello)
        else:
            smtp = smtplib.SMTP(timeout=connect, local_hostname=hello)
        smtp._host = relay.host  # type: ignore[attr-defined]  # the name that the certificate must bear
        try:
            code, text = smtp.connect(relay.host, relay.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
            assert smtp.sock is not None
            # Commands are small and answered one by one: Nagle would only add waiting.
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.sock.settimeout(self._capped(COMMAND))
            smtp.ehlo_or_helo_if_needed()
            if relay.starttls:
                # Raises when it is not offered; there is no going on in plain text. smtplib
                # forgets what was advertised before, as RFC 3207 section 4.2 demands.
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo_or_helo_if_needed()
            if relay.user:
                smtp.login(relay.user, relay.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    @property
    def _where(self) -> str:
        return f"{self._relay.host}:{self._relay.port}"

    def _capped(self, seconds: float) -> float:
        return min(seconds, self._relay.timeout) if self._relay.timeout else seconds

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.sock.settimeout(5.0)
            smtp.quit()
        smtp.close()

    def abort(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    # --- Messages -----------------------------------------------------------------------

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        down: Receipt | None = None
        for one in outgoing:
            if one is None:
                time.sleep(0.002)
                continue
            receipt = down or self._send_one(one.envelope)
            if receipt.about_the_line and self._smtp is None:
                down = receipt
            yield Answered(one.key, receipt)

    def _send_one(self, envelope: Envelope) -> Receipt:
        worn = self._smtp is not None and self._carried > 0
        receipt = self._attempt(envelope)
        # Relays close a connection after so many messages, with 421 or without a word. What was
        # certainly not taken goes over a fresh line at once; nobody waits half an hour for it.
        if worn and self._smtp is None and receipt.outcome is Outcome.TEMPORARY:
            receipt = self._attempt(envelope)
        return receipt

    def _attempt(self, envelope: Envelope) -> Receipt:
        try:
            self.open()
        except Misconfigured as error:
            return Receipt(Outcome.OURS, reply=str(error), about_the_line=True)
        except TransportError as error:
            return Receipt(Outcome.TEMPORARY, reply=str(error), about_the_line=True)
        try:
            return self._converse(envelope)
        finally:
            self._carried += 1

    def _converse(self, envelope: Envelope) -> Receipt:
        mail, recipient = self._commands(envelope)
        if recipient is None:
            return Receipt(
                Outcome.PERMANENT, 553, "5.6.7", "the relay takes no addresses outside ASCII"
            )
        too_large = self._too_large(envelope)
        if too_large:
            return Receipt(Outcome.OURS, 552, "5.3.4", too_large, about_the_line=True)
        phase = "MAIL"
        try:
            reply = self._command(mail, COMMAND)
            if reply.code != 250:
                return self._refused(reply, about_the_line=True)
            phase = "RCPT"
            reply = self._command(recipient, COMMAND)
            # 251: the relay forwards; 252: it cannot tell and takes it (RFC 5321 section 4.2.3).
            if reply.code not in (250, 251, 252):
                return self._refused(reply)
            phase = "DATA"
            reply = self._command("DATA", DATA)
            if reply.code != 354:
                return self._refused(reply)
        except _Broken as error:
            self.abort()
            # What differs from reader to reader comes after MAIL; before it, it is the line.
            return Receipt(
                Outcome.TEMPORARY, None, "4.4.2", f"at {phase}: {error}", phase == "MAIL"
            )
        return self._content(envelope.content)

    def _commands(self, envelope: Envelope) -> tuple[str, str | None]:
        """Return MAIL and RCPT; no RCPT when the relay cannot carry the address (RFC 6531)."""
        smtp = self._smtp
        assert smtp is not None
        sender, recipient = _ascii_domain(envelope.sender), _ascii_domain(envelope.recipient)
        options = f" SIZE={len(envelope.content)}" if smtp.has_extn("size") else ""
        if not (sender.isascii() and recipient.isascii()):
            if not smtp.has_extn("smtputf8"):
                return "", None
            options += " SMTPUTF8"
            if smtp.has_extn("8bitmime"):
                options += " BODY=8BITMIME"
        return f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>"

    def _too_large(self, envelope: Envelope) -> str:
        assert self._smtp is not None
        limit = self._smtp.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(envelope.content):
            return f"the message has {len(envelope.content)} octets, the relay takes {limit}"
        return ""

    def _content(self, content: bytes) -> Receipt:
        smtp = self._smtp
        assert smtp is not None and smtp.sock is not None
        if b"\r\n." in content or content.startswith(b"."):
            content = _LINE_START_DOT.sub(b"..", content)
        try:
            smtp.sock.settimeout(self._capped(CONTENT))
            smtp.sock.sendall(content + b".\r\n")
            reply = self._reply(FINAL)
        except (OSError, _Broken) as error:
            # The relay may have taken it and lost the line while saying so (RFC 1047).
            self.abort()
            return Receipt(Outcome.UNKNOWN, None, "4.4.2", f"after the content: {error}")
        outcome = classify(reply.code, reply.enhanced)
        if outcome is not Outcome.ACCEPTED:
            return self._refused(reply)
        return Receipt(outcome, reply.code, reply.enhanced, reply.text)

    def _refused(self, reply: _Reply, *, about_the_line: bool = False) -> Receipt:
        """Leave the line ready for the next message, or dropped."""
        outcome = classify(reply.code, reply.enhanced)
        if outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
            # Neither yes nor no at a point where only these make sense: out of step.
            self.abort()
            outcome = Outcome.TEMPORARY
        elif about_the_line and outcome is Outcome.PERMANENT:
            # A sender that is refused says nothing about the reader.
            outcome = Outcome.OURS
        if reply.code == 421:
            self.abort()
        elif self._smtp is not None:
            try:
                if self._command("RSET", COMMAND).code != 250:
                    self.abort()
            except _Broken:
                self.abort()
        return Receipt(outcome, reply.code, reply.enhanced, reply.text, about_the_line)

    def _command(self, line: str, timeout: float) -> _Reply:
        smtp = self._smtp
        if smtp is None or smtp.sock is None:
            raise _Broken("the line is closed")
        try:
            smtp.sock.settimeout(self._capped(timeout))
            smtp.sock.sendall(line.encode() + b"\r\n")
        except OSError as error:
            raise _Broken(str(error)) from error
        return self._reply(timeout)

    def _reply(self, timeout: float) -> _Reply:
        smtp = self._smtp
        assert smtp is not None and smtp.sock is not None
        smtp.sock.settimeout(self._capped(timeout))
        try:
            code, raw = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise _Broken(str(error)) from error
        if not 200 <= code <= 599:
            raise _Broken("no SMTP reply")
        text = " ".join(raw.decode("utf-8", "replace").split())
        match = _ENHANCED.match(text)
        if match and match[1][0] == str(code)[0]:
            return _Reply(code, match[1], text[match.end() :])
        return _Reply(code, "", text)


def _refused_line(error: smtplib.SMTPResponseException) -> TransportError:
    """The relay's answer to connecting or logging in. A 4yz passes, a 5yz needs a person."""
    raw = error.smtp_error
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    said = f"{error.smtp_code} {text}"[:200]
    if 500 <= error.smtp_code < 600:
        return Misconfigured(f"The relay does not let us in: {said}")
    return LineDown(f"The relay is not ready: {said}")


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


def _ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return address
