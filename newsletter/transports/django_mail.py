"""Django's own mail (a new password for staff), by the same way out as everything else."""

import smtplib
from collections.abc import Sequence
from email.utils import parseaddr

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from newsletter.transports.errors import TransportError
from newsletter.transports.protocol import Transport, send_in_order
from newsletter.transports.select import system_transport
from newsletter.transports.values import Envelope, Outcome, without_addresses


class EmailBackend(BaseEmailBackend):
    """EMAIL_BACKEND. A message to several people goes to each of them alone (invariant 8)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return how many messages every recipient's relay took.

        Raises SMTPException when one was not taken, unless `fail_silently`.
        """
        try:
            transport = system_transport()
        except TransportError as error:
            return self._failed(str(error))
        try:
            return sum(self._send(transport, message) for message in email_messages)
        except TransportError as error:
            return self._failed(str(error))
        finally:
            transport.close()

    def _send(self, transport: Transport, message: EmailMessage) -> int:
        # Django's own as_bytes() takes it; the type stubs describe the standard library's.
        content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        sender = parseaddr(message.from_email)[1]
        envelopes = [
            Envelope(sender, parseaddr(recipient)[1], content) for recipient in message.recipients()
        ]
        for receipt in send_in_order(transport, envelopes):
            if receipt.outcome is not Outcome.ACCEPTED:
                return self._failed(without_addresses(receipt.as_line()))
        return 1

    def _failed(self, why: str) -> int:
        if not self.fail_silently:
            raise smtplib.SMTPException(f"The mail was not taken: {why}")
        return 0
