"""What we do about what the world said.

An address that does not exist is not mailed again; a complaint ends everything; a full mailbox
gets time; and what is our own fault (5.7.x: authentication, reputation) is never held against a
reader. Standards C3 to C6.
"""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import CharField, Exists, Max, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone

from newsletter.outcomes.complaints import stop_if_too_many
from newsletter.outcomes.models import Event
from newsletter.outcomes.record import record_event
from newsletter.sending.models import Delivery, Mailing
from newsletter.transports.classify import HARD, classify
from newsletter.transports.values import Outcome, read_line
from signup import unsubscribe
from signup.models import ConsentEntry, Subscriber, Subscription, Suppression
from signup.suppress import suppress

log = logging.getLogger(__name__)

# Anything else that did not arrive counts towards giving up: five times, over two weeks or more.
SOFT_LIMIT = 5
SOFT_SPAN = timedelta(days=14)
# How long servers try before they send a mail back (RFC 5321 section 4.5.4.1).
COMES_BACK_WITHIN = timedelta(days=5)
# One call's share; the next goes on.
AT_ONCE = 1000
# A mailing that ended longer ago than this has had all its refusals swept up.
SWEPT_FOR = timedelta(days=7)

REFUSALS = "smtp"


def react() -> int:
    """Sweep up what relays refused, then act on every event that was not acted on. Returns how
    many events were looked at. Harmless to repeat and to run twice at once."""
    sweep_refusals()
    waiting = Event.objects.filter(reacted_at__isnull=True).order_by("pk")
    reacted = 0
    for pk in list(waiting.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            reacted += _react_once(pk)
        except DatabaseError:
            # Left as it was, to be tried again; it must not keep the others waiting.
            log.exception("Event %s could not be acted on", pk)
    return reacted


def sweep_refusals() -> int:
    """Make an event of each refused delivery that has none. Returns how many were made.

    So a refusal at the relay's door and a bounce that comes back later lead to the same.
    """
    told = Event.objects.filter(source=REFUSALS, source_id=Cast(OuterRef("pk"), CharField()))
    rows = (
        Delivery.objects.filter(
            mailing__in=_recent_mailings(), batch__refused__gt=0, state=Delivery.State.REFUSED
        )
        .filter(~Exists(told))
        .order_by("pk")
        .values_list("pk", "mailing_id", "subscriber_id", "reply", "outcome_at")[:AT_ONCE]
    )
    made = 0
    for pk, mailing, subscriber, reply, at in list(rows):
        code, enhanced, text = read_line(reply)
        event = record_event(
            kind=Event.Kind.BOUNCED,
            source=REFUSALS,
            source_id=str(pk),
            at=at or timezone.now(),
            mailing_id=mailing,
            subscriber_id=subscriber,
            # Without an enhanced code the first digit is all that may be concluded from.
            status=enhanced or (f"{code // 100}.0.0" if code else ""),
            detail=text,
        )
        made += event is not None
    return made


@transaction.atomic
def _react_once(pk: int) -> bool:
    # Whoever writes the time does the work; if the work fails, so does the time.
    mine = Event.objects.filter(pk=pk, reacted_at__isnull=True)
    if not mine.update(reacted_at=timezone.now()):
        return False
    _react_to(Event.objects.select_related("subscriber", "mailing").get(pk=pk))
    return True


def _recent_mailings() -> list[int]:
    ended_long_ago = Mailing.objects.filter(ended_at__lt=timezone.now() - SWEPT_FOR)
    return list(
        Mailing.objects.filter(started_at__isnull=False)
        .exclude(pk__in=ended_long_ago)
        .order_by()
        .values_list("pk", flat=True)
    )


def _react_to(event: Event) -> None:
    subscriber = event.subscriber
    if subscriber is None:
        return
    if event.kind == Event.Kind.COMPLAINED:
        _suppress(subscriber, Suppression.Reason.COMPLAINT, event)
        if event.mailing is not None:
            stop_if_too_many(event.mailing)
    elif event.kind == Event.Kind.UNSUBSCRIBED:
        _end(subscriber, event.mailing)
    elif event.kind == Event.Kind.BOUNCED and _is_beyond_hope(subscriber, event):
        _suppress(subscriber, Suppression.Reason.HARD_BOUNCE, event)


def _is_beyond_hope(subscriber: Subscriber, event: Event) -> bool:
    if event.status in HARD:
        return True
    return is_soft(event.status) and _has_failed_for_long(subscriber)


def is_soft(status: str) -> bool:
    """True for a failure that lies with the reader's mailbox and may pass: 4.x.x, 5.2.2, a 5
    without a cause. Never for 5.7.x and the like, which lie with us."""
    if not status or status in HARD:
        return False
    return classify(0, status) in (Outcome.TEMPORARY, Outcome.PERMANENT)


def _has_failed_for_long(subscriber: Subscriber) -> bool:
    """Five failures or more over two weeks or more, with nothing that arrived between them."""
    mine = Event.objects.filter(subscriber=subscriber)
    failures = mine.filter(kind=Event.Kind.BOUNCED)
    arrived = mine.filter(kind=Event.Kind.DELIVERED).order_by("-at").first()
    if arrived is not None:
        failures = failures.filter(at__gt=arrived.at)
    told = failures.values_list("at", "status", "mailing")
    times = sorted(at for at, status, _ in told if is_soft(status))
    if len(times) >= SOFT_LIMIT:
        stayed = _last_that_stayed(subscriber, {mailing for _, _, mailing in told}, times[0])
        times = [at for at in times if stayed is None or at > stayed]
    return len(times) >= SOFT_LIMIT and times[-1] - times[0] >= SOFT_SPAN


def _last_that_stayed(
    subscriber: Subscriber, came_back: set[int | None], since: datetime
) -> datetime | None:
    """Return when a relay last took a mail to this reader that did not come back.

    SMTP never says that a mail arrived; this is as near as it gets. Without it, a mailbox that is
    full twice a year would be given up in the third. None also where a failure's mailing is not
    known, since it might be of any copy.
    """
    known = {mailing for mailing in came_back if mailing is not None}
    if len(known) < len(came_back):
        return None
    later = Mailing.objects.filter(dated__gt=since).exclude(pk__in=known)
    found: datetime | None = Delivery.objects.filter(
        # By number: the deliveries' only index of readers begins with the mailing.
        mailing__in=list(later.order_by("-pk").values_list("pk", flat=True)[:AT_ONCE]),
        subscriber=subscriber,
        state=Delivery.State.ACCEPTED,
        outcome_at__lt=timezone.now() - COMES_BACK_WITHIN,
    ).aggregate(last=Max("outcome_at"))["last"]
    return found


def _suppress(subscriber: Subscriber, reason: Suppression.Reason, event: Event) -> None:
    suppress(subscriber=subscriber, reason=reason, source=f"{event.source}: event {event.pk}")
    log.info("Reader %s is not mailed any more: %s", subscriber.pk, reason)


def _end(subscriber: Subscriber, mailing: Mailing | None) -> None:
    """End what the provider's own unsubscribe was about; everything, where that is not known."""
    reason, method = Subscription.EndedReason.ONE_CLICK, ConsentEntry.Method.LINK
    if mailing is None:
        unsubscribe.end_all(subscriber=subscriber, reason=reason, method=method)
        return
    subscription = Subscription.objects.filter(
        subscriber=subscriber, newsletter=mailing.newsletter_id
    ).first()
    if subscription is not None:
        unsubscribe.end(subscription=subscription, reason=reason, method=method)
