"""Digests as they leave: sent through the whole line, and read as their reader would."""

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import time_machine

from newsletter.sending.claim import claim
from newsletter.sending.deliver import deliver
from newsletter.sending.digest_run import run_due
from newsletter.sending.feed import feed
from newsletter.transports import memory
from newsletter.transports.select import bulk_transport
from signup.models import Subscription


def send_due(moment: datetime) -> None:
    """Plan what is due at `moment`, and send all that waits."""
    with time_machine.travel(moment, tick=False):
        run_due(moment)
        send_all()


def send_all() -> None:
    while fed := feed():
        for batch in fed:
            if claimed := claim(batch, "test"):
                deliver(claimed, bulk_transport(health=claimed.mailing.is_health_data))


def inbox(subscription: Subscription) -> list[EmailMessage]:
    """What this reader has got, oldest first."""
    return [
        message_from_bytes(sent.content, policy=policy.default)
        for sent in memory.outbox
        if sent.recipient == subscription.subscriber.email
    ]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def stop_links(message: EmailMessage) -> dict[str, str]:
    """Condition's name → the path that stops it, from the text part."""
    found = re.findall(r"^Stop news about (.+):\n(\S+)$", text_of(message), re.MULTILINE)
    return {name: url[url.index("/stop/") :] for name, url in found}
