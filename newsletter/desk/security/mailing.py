"""Mail to staff (a link to set a new password) by the same way out as all other mail.

Django's own backend would look for a relay on this machine. Named in EMAIL_BACKEND.
"""

import logging
from collections.abc import Iterator, Sequence
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from newsletter.transports.errors import TransportError
from newsletter.transports.select import system_transport
from newsletter.transports.values import Envelope, Outcome

log = logging.getLogger(__name__)


class StaffMail(BaseEmailBackend):
    """One envelope for each recipient, whatever the message says (invariant 8)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return how many messages every recipient's relay took."""
        transport = system_transport()
        sent = 0
        try:
            transport.open()
            try:
                for message in email_messages:
                    receipts = list(transport.send(list(_envelopes(message))))
                    sent += bool(receipts) and all(
                        receipt.outcome is Outcome.ACCEPTED for receipt in receipts
                    )
            finally:
                transport.close()
        except TransportError:
            if not self.fail_silently:
                raise
            log.exception("Mail to staff could not be sent")
        return sent


def _envelopes(message: EmailMessage) -> Iterator[Envelope]:
    # The line ends are an argument of Django's own classes.
    content: bytes = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    sender = parseaddr(message.from_email)[1]
    for recipient in message.recipients():
        yield Envelope(sender, parseaddr(recipient)[1], content)
