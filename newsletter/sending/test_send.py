"""A draft to the staff's own mailboxes, marked as a test. No delivery, no count, no reader."""

import copy
from collections.abc import Sequence
from email.utils import make_msgid

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.editions.models import Issue
from newsletter.rendering.heading_lines import mail_domain
from newsletter.rendering.issue import compile_issue
from newsletter.transports.protocol import send_in_order
from newsletter.transports.select import bulk_transport
from newsletter.transports.values import Envelope, Receipt
from newsletter.wire.headers import format_address, format_date
from newsletter.wire.slots import Slot

MOST = 15


def send_test(issue: Issue, to: Sequence[str]) -> list[Receipt]:
    """Send `issue`, as it is in memory, to up to fifteen addresses; return what the
    relay said to each.

    Raises TransportError when mail cannot leave at all, UnsafeValue or UnsafeEnvelope for an
    address that no mail can carry, ValueError for none or too many.
    """
    if not 1 <= len(to) <= MOST:
        raise ValueError(f"A test goes to one to {MOST} addresses.")
    draft = copy.copy(issue)
    draft.subject = _("[Test] %(subject)s") % {"subject": issue.subject}
    message = compile_issue(draft).message
    envelopes = [
        Envelope(
            issue.newsletter.from_email,
            address,
            message.fill(
                {
                    Slot.TO: format_address("", address),
                    Slot.DATE: format_date(timezone.now()),
                    Slot.MESSAGE_ID: make_msgid("test", mail_domain(issue.newsletter)),
                    # Nobody is subscribed by a test, so there is nothing that the link could end.
                    Slot.UNSUBSCRIBE_URL: settings.BASE_URL + reverse("archive:sample"),
                    Slot.WITHDRAW_URL: settings.BASE_URL + reverse("archive:sample"),
                    Slot.FIRST_NAME: "",
                    Slot.REASON: _("This is a test for staff. It went to no reader."),
                }
            ),
        )
        for address in to
    ]
    transport = bulk_transport(health=issue.is_health_data)
    transport.open()
    try:
        return send_in_order(transport, envelopes)
    finally:
        transport.close()
