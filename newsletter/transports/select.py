"""Which way out this installation uses."""

from django.conf import settings

from newsletter.transports.errors import NotForHealthData
from newsletter.transports.esp import EspTransport
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.protocol import Transport
from newsletter.transports.relay import relays_from
from newsletter.transports.smtp import SmtpTransport


def bulk_transport(*, health: bool) -> Transport:
    """Return the transport for mailings, not yet open.

    `health` is true for digests and for newsletters marked sensitive. Raises NotForHealthData
    when the way out is not recorded as allowed for such mail, Misconfigured for bad settings.
    """
    transport = system_transport()
    if health and not transport.allowed_for_health:
        raise NotForHealthData(
            "This mail tells of a reader's health, and the way out is not recorded as allowed for "
            "health data. With an agreement in place set ESP_HEALTH_AGREEMENT to the ESP's name, "
            "or for a relay of your own add health=yes to EMAIL_URL."
        )
    return transport


def system_transport() -> Transport:
    """Return the transport for confirmations and notices, not yet open. Raises Misconfigured."""
    if settings.ESP:
        return EspTransport(settings.ESP, health_agreement=settings.ESP_HEALTH_AGREEMENT)
    if settings.EMAIL_URL.startswith("memory:"):
        return MemoryTransport()
    return SmtpTransport(*relays_from(settings.EMAIL_URL))
