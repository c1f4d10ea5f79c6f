"""Mail handed to an ESP's API, through django-anymail."""

from newsletter.transports.esp.transport import EspTransport

__all__ = ["EspTransport"]
