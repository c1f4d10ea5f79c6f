"""An ESP's API, through anymail. One message per recipient."""

import contextlib
from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

from newsletter.transports.errors import LineDown, Misconfigured
from newsletter.transports.protocol import Answered, Outgoing
from newsletter.transports.values import Envelope, Outcome, Receipt

# anymail's words for what became of a recipient, and ours.
STATUSES = {
    "sent": Receipt(Outcome.ACCEPTED, 250, "2.0.0", "sent"),
    "queued": Receipt(Outcome.ACCEPTED, 250, "2.0.0", "queued"),
    "invalid": Receipt(Outcome.PERMANENT, 550, "5.1.3", "invalid address"),
    # On the provider's own list of refusals, not proof that the mailbox is gone.
    "rejected": Receipt(Outcome.PERMANENT, 550, "5.0.0", "rejected by the provider"),
    "failed": Receipt(Outcome.TEMPORARY, 450, "4.0.0", "failed at the provider"),
    "unknown": Receipt(Outcome.UNKNOWN, None, "", "the provider does not say"),
}

# Headers that the API takes as fields of their own, or writes itself.
_FIELDS = {
    "from", "to", "cc", "bcc", "subject", "reply-to", "mime-version", "content-type",
    "content-transfer-encoding",
}  # fmt: skip


class EspTransport:
    """`esp` is anymail's name for a backend: "mailgun", "postmark", "amazon_ses", …

    `health_agreement` is the name of the ESP with which an agreement on health data exists.
    """

    def __init__(self, esp: str, *, health_agreement: str = "") -> None:
        self.name = f"esp-{esp}"
        self.allowed_for_health = health_agreement.lower() == esp.lower()
        try:
            backend: type[BaseEmailBackend] = import_string(f"anymail.backends.{esp}.EmailBackend")
        except ImportError as error:
            raise Misconfigured(f"ESP={esp} is no backend of django-anymail.") from error
        try:
            self._backend = backend(fail_silently=False)
        except ImproperlyConfigured as error:
            raise Misconfigured(f"ESP={esp}: {error}") from error

    def open(self) -> None:
        try:
            self._backend.open()
        except requests.RequestException as error:
            raise LineDown(f"No connection to {self.name}.") from error

    def close(self) -> None:
        with contextlib.suppress(requests.RequestException):
            self._backend.close()

    def abort(self) -> None:
        self.close()

    lines = 1

    def send(self, outgoing: Iterable[Outgoing | None]) -> Iterator[Answered]:
        for one in outgoing:
            if one is not None:
                yield Answered(one.key, self._send_one(one.envelope))

    def _send_one(self, envelope: Envelope) -> Receipt:
        message = as_django_message(envelope)
        try:
            self._backend.send_messages([message])
        except AnymailRecipientsRefused:
            pass  # the status says which way
        except AnymailInvalidAddress as error:
            return Receipt(Outcome.PERMANENT, 553, "5.1.3", _first_line(error))
        except AnymailAPIError as error:
            return api_receipt(error)
        except (AnymailError, ImproperlyConfigured) as error:
            # A feature that the provider cannot switch off, a key that is missing: ours.
            return Receipt(Outcome.OURS, reply=_first_line(error), about_the_line=True)
        recipients: dict[str, Any] = message.anymail_status.recipients  # type: ignore[attr-defined]
        status = recipients.get(envelope.recipient)
        if status is None and len(recipients) == 1:
            # Providers may spell the one address differently (case, IDNA).
            status = next(iter(recipients.values()))
        return STATUSES[(status.status if status else None) or "unknown"]


def as_django_message(envelope: Envelope) -> EmailMultiAlternatives:
    """Take a finished message apart again, because APIs want its parts and not its bytes."""
    parsed = message_from_bytes(envelope.content, _class=ParsedMessage, policy=policy.default)
    text = parsed.get_body(("plain",))
    message = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=text.get_content() if text else "",
        from_email=str(parsed["From"] or envelope.sender),
        to=[str(parsed["To"] or envelope.recipient)],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={name: str(value) for name, value in parsed.items() if name.lower() not in _FIELDS},
    )
    html = parsed.get_body(("html",))
    if html:
        message.attach_alternative(html.get_content(), "text/html")
    # No pixel and no rewritten link behind our back (invariant 12).
    message.track_opens = False  # type: ignore[attr-defined]
    message.track_clicks = False  # type: ignore[attr-defined]
    return message


def api_receipt(error: AnymailAPIError) -> Receipt:
    """What a failed API call means for the one message in it."""
    code: int | None = error.status_code
    said = _first_line(error)
    if code is None:
        not_connected = (requests.ConnectTimeout, requests.exceptions.SSLError)
        if isinstance(error, not_connected) or _never_connected(error):
            return Receipt(Outcome.TEMPORARY, reply=said, about_the_line=True)
        # The request went out and no answer came back.
        return Receipt(Outcome.UNKNOWN, reply=said)
    if code in (408, 425, 429) or code == 503:
        return Receipt(Outcome.TEMPORARY, 450, "4.0.0", said, about_the_line=code != 425)
    if 400 <= code < 500:
        # A key, a plan or a payload that the provider does not take: no reader's fault.
        return Receipt(Outcome.OURS, 550, "5.7.0", said, about_the_line=code in (401, 402, 403))
    return Receipt(Outcome.UNKNOWN, None, "", said)


def _never_connected(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ == "NewConnectionError" or isinstance(
            cause, ConnectionRefusedError
        ):
            return True
        inner = cause.args[0] if cause.args else None
        cause = (
            cause.__cause__
            or getattr(inner, "reason", None)
            or getattr(cause, "reason", None)
            or cause.__context__
        )
        if not isinstance(cause, BaseException):
            return False
    return False


def _first_line(error: Exception) -> str:
    """One line for staff. Never the payload: it holds the reader's address."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
