"""What an ESP tells us by webhook, checked by anymail, written down as events."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from anymail import urls as anymail_urls
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from newsletter.outcomes.models import Event
from newsletter.outcomes.record import record_event
from newsletter.rendering.copies import message_ids
from newsletter.sending.models import Delivery, Mailing
from signup.address import BadAddress, normalise
from signup.models import Subscriber

# anymail's words and ours. What is not here is not kept: opens never drive anything, clicks
# are measurement and need consent of their own, and an auto-reply says nothing.
_KINDS = {
    EventType.DELIVERED: Event.Kind.DELIVERED,
    EventType.BOUNCED: Event.Kind.BOUNCED,
    EventType.REJECTED: Event.Kind.BOUNCED,
    EventType.DEFERRED: Event.Kind.DEFERRED,
    EventType.COMPLAINED: Event.Kind.COMPLAINED,
    EventType.UNSUBSCRIBED: Event.Kind.UNSUBSCRIBED,
}
# RFC 3463 section 2, standing by itself: no part of an IP address or a version.
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]\d)")

# How long after a mailing its bounces may come: five days of trying (RFC 5321 section 4.5.4.1),
# complaints later still.
RECENT = timedelta(days=30)


def endpoints() -> dict[str, Callable[..., Any]]:
    """Return anymail's tracking view by the name of its ESP."""
    suffix = "_tracking_webhook"
    views = {
        pattern.name.removesuffix(suffix): pattern.callback
        for pattern in anymail_urls.urlpatterns
        if pattern.name and pattern.name.endswith(suffix)
    }
    combined = {
        pattern.name.removesuffix("_webhook"): pattern.callback
        for pattern in anymail_urls.urlpatterns
        if pattern.name == "mandrill_webhook"
    }
    return views | combined


@csrf_exempt
def receive(request: HttpRequest, esp: str) -> HttpResponse:
    """Take events from the ESP that this installation uses, and from no other.

    Without a secret nobody is believed: a stranger could otherwise end any reader's mail.
    """
    view = endpoints().get(esp)
    if view is None or esp != settings.ESP.lower():
        raise Http404
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return HttpResponseForbidden("ANYMAIL_WEBHOOK_SECRET is not set; see docs/settings.md.")
    response: HttpResponse = view(request)
    return response


def note(event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Write down one event that anymail has checked and read. Connected to its signal."""
    kind = _kind(event)
    if kind is None:
        return
    at = event.timestamp or timezone.now()
    subscriber = _subscriber(event.recipient)
    record_event(
        kind=kind,
        source=esp_name.lower().replace(" ", "_"),
        source_id=_identity(event, at),
        at=at,
        subscriber_id=subscriber,
        mailing_id=_mailing(subscriber, event.message_id),
        status=_status(event),
        detail=event.mta_response or event.description or "",
    )


def _kind(event: AnymailTrackingEvent) -> Event.Kind | None:
    if event.event_type == EventType.REJECTED:
        # The provider did not even try, and says what the reader told it earlier.
        told = {
            RejectReason.SPAM: Event.Kind.COMPLAINED,
            RejectReason.UNSUBSCRIBED: Event.Kind.UNSUBSCRIBED,
        }.get(event.reject_reason or "")
        if told is not None:
            return told
    return _KINDS.get(event.event_type)


def _identity(event: AnymailTrackingEvent, at: datetime) -> str:
    """Return what makes this event itself. Some ESPs give no id; then what it says is hashed,
    so that telling it twice is still telling it once, and no address is kept."""
    if event.event_id:
        # Some give one id to all recipients of a message.
        told = f"{event.event_id}\0{event.event_type}\0{event.recipient}"
    else:
        told = f"{event.message_id}\0{event.event_type}\0{event.recipient}\0{at.astimezone(UTC)}"
    return hashlib.sha256(told.encode()).hexdigest()


def _subscriber(recipient: str | None) -> int | None:
    try:
        key = normalise(recipient or "").key
    except BadAddress:
        return None
    return Subscriber.objects.filter(email_key=key).values_list("pk", flat=True).first()


def _mailing(subscriber: int | None, message_id: str | None) -> int | None:
    """Return the mailing whose Message-ID this is. None where the ESP gave the copy an id of its
    own: a guess could end the wrong subscription."""
    if subscriber is None or not message_id:
        return None
    recent = timezone.now() - RECENT
    mine = Delivery.objects.filter(
        mailing__in=list(
            Mailing.objects.filter(created_at__gt=recent).order_by().values_list("pk", flat=True)
        ),
        subscriber=subscriber,
    ).select_related("mailing__newsletter")
    for delivery in mine:
        mailing = delivery.mailing
        ours = message_ids(mailing.stamp, "")(subscriber)
        # Without the domain: the newsletter may have moved to another one since.
        if ours.partition("@")[0] == message_id.partition("@")[0]:
            return mailing.pk
    return None


def _status(event: AnymailTrackingEvent) -> str:
    """Return the enhanced code that the mailbox's server gave, or what anymail concludes."""
    found = _enhanced(event.mta_response or "") or _enhanced(event.description or "")
    if found or event.event_type not in (EventType.BOUNCED, EventType.REJECTED):
        return found
    return {
        RejectReason.INVALID: "5.1.3",
        # The provider remembers an earlier hard bounce of this address.
        RejectReason.BOUNCED: "5.1.1" if event.event_type == EventType.REJECTED else "5.0.0",
        RejectReason.TIMED_OUT: "4.4.7",
        RejectReason.BLOCKED: "5.7.1",
    }.get(event.reject_reason or "", "5.0.0")


def _enhanced(text: str) -> str:
    match = _ENHANCED.search(text)
    return match.group(1) if match else ""
