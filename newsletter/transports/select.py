"""Which way out this installation uses, and the lines that a process keeps open."""

import os
import threading
from dataclasses import dataclass, field

from django.conf import settings

from newsletter.transports.errors import NotForHealthData
from newsletter.transports.esp import EspTransport
from newsletter.transports.memory import MemoryTransport
from newsletter.transports.protocol import Transport
from newsletter.transports.relay import relays_from
from newsletter.transports.smtp import SmtpTransport

# What a transport is made from: when any of it changes, the kept one is of no use.
_Key = tuple[str, str, str, bool]


@dataclass
class _Kept(threading.local):
    """One thread's transports: none may be shared, neither between threads nor over a fork."""

    pid: int = 0
    transports: dict[_Key, Transport] = field(default_factory=dict)


_kept = _Kept()


def bulk_transport(*, health: bool) -> Transport:
    """Return the transport for mailings: this thread's, with the lines that are still open.

    Nobody needs to close it: idle lines are replaced before they are used again, and the next
    task goes on over the others. `health` is true for digests and for newsletters marked
    sensitive: of several relays only those serve that are recorded as allowed for it.

    Raises NotForHealthData when there is none, Misconfigured for bad settings.
    """
    key = (settings.EMAIL_URL, settings.ESP, settings.ESP_HEALTH_AGREEMENT, health)
    if _kept.pid != os.getpid():
        # The parent's sockets are not ours to close: a QUIT on them would end its lines.
        _kept.pid, _kept.transports = os.getpid(), {}
    if key not in _kept.transports:
        for stale in [other for other in _kept.transports if other[:3] != key[:3]]:
            _kept.transports.pop(stale).close()
        _kept.transports[key] = _made(health=health)
    return _kept.transports[key]


def relays_in_settings() -> list[str]:
    """Return host and port of each relay of EMAIL_URL; none where mail leaves another way."""
    if settings.ESP or not settings.EMAIL_URL.startswith("smtp"):
        return []
    return [relay.where for relay in relays_from(settings.EMAIL_URL)]


def close_kept() -> None:
    """Take leave of the relays: this thread sends nothing more for now."""
    if _kept.pid == os.getpid():
        for transport in _kept.transports.values():
            transport.close()


def system_transport() -> Transport:
    """Return the transport for confirmations and notices, the caller's own, not yet open.

    Raises Misconfigured.
    """
    return _made(health=False)


def _made(*, health: bool) -> Transport:
    if settings.ESP:
        transport: Transport = EspTransport(
            settings.ESP,
            health_agreement=settings.ESP_HEALTH_AGREEMENT,
            tracking_off=settings.ESP_TRACKING_OFF,
        )
    elif settings.EMAIL_URL.startswith("memory:"):
        transport = MemoryTransport()
    else:
        relays = relays_from(settings.EMAIL_URL)
        transport = SmtpTransport(
            *([relay for relay in relays if relay.health] or relays) if health else relays
        )
    if health and not transport.allowed_for_health:
        raise NotForHealthData(
            "This mail tells of a reader's health, and the way out is not recorded as allowed for "
            "health data. With an agreement in place set ESP_HEALTH_AGREEMENT to the ESP's name, "
            "or for a relay of your own add health=yes to EMAIL_URL."
        )
    return transport
