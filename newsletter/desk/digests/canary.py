"""Watched digests: staff's own subscriptions, whose missing mail rings the bell.

A digest that fails is silent: nobody misses what they did not expect. So some members of staff
subscribe as readers do, and this says when a digest that was due to them did not go out.
"""

import logging
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.desk.access import SEND
from newsletter.desk.models import DigestCanary, User
from newsletter.editions.models import Release
from newsletter.sending.alert_readers import REACHED
from newsletter.sending.digest_shelf import ReleaseTimes
from newsletter.sending.models import Delivery, DigestMark, Mailing
from signup.models import Follow, Subscription

log = logging.getLogger(__name__)

# While it lasts staff are told again after this long.
AGAIN_AFTER = timedelta(days=1)


class Trouble(StrEnum):
    GONE = "gone"
    NOT_PLANNED = "not_planned"
    PASSED_OVER = "passed_over"
    NOT_SENT = "not_sent"
    NOT_TAKEN = "not_taken"


def words_for(trouble: str) -> str:
    """Return what is wrong, for staff."""
    return {
        Trouble.GONE: _("It is no live subscription any more, so it watches nothing."),
        Trouble.NOT_PLANNED: _("Its digest is due, and no run has taken it up."),
        Trouble.PASSED_OVER: _("Something was released for it, and no digest brought that."),
        Trouble.NOT_SENT: _("Its digest was planned, and has not been handed over."),
        Trouble.NOT_TAKEN: _("The mail server did not take its last digest for certain."),
    }[Trouble(trouble)]


def look(canary: DigestCanary, now: datetime) -> Trouble | None:
    """Return what is wrong with what this one should have got by `now`."""
    late = now - timedelta(minutes=settings.DIGEST_LATE_MINUTES)
    subscription = canary.subscription
    if subscription.state != Subscription.State.LIVE:
        return Trouble.GONE
    if subscription.paused_until is not None and subscription.paused_until > late:
        return None
    mark = DigestMark.objects.filter(subscription=subscription).first()
    if mark is None or mark.next_due_at is None:
        return Trouble.NOT_PLANNED if (subscription.live_at or now) < late else None
    if mark.next_due_at < late:
        return Trouble.NOT_PLANNED
    digests = Delivery.objects.filter(
        subscriber=subscription.subscriber_id,
        mailing__kind=Mailing.Kind.DIGEST,
        mailing__newsletter=subscription.newsletter_id,
    )
    newest = digests.select_related("mailing").order_by("-mailing__dated").first()
    if newest is not None and newest.mailing.dated < late:
        if newest.state == Delivery.State.QUEUED:
            return Trouble.NOT_SENT
        if newest.state in (Delivery.State.REFUSED, Delivery.State.UNKNOWN):
            return Trouble.NOT_TAKEN
    shown = digests.exclude(state=Delivery.State.SKIPPED).aggregate(upto=Max("to_seq"))["upto"]
    if shown is None:
        shown = ReleaseTimes.load().number_at(canary.watched_since)
    return Trouble.PASSED_OVER if _passed_over(canary, shown, mark.mark) else None


def watch(now: datetime) -> int:
    """Look at every watched digest, note what is wrong, and tell staff. Harmless twice.

    Returns how many are in alarm.
    """
    alarms = 0
    for canary in DigestCanary.objects.select_related("subscription__newsletter"):
        trouble = look(canary, now)
        mine = DigestCanary.objects.filter(pk=canary.pk)
        if trouble is None:
            mine.update(trouble="", alarmed_at=None, checked_at=now)
            continue
        alarms += 1
        mine.update(trouble=trouble, checked_at=now)
        # Only one of two ticks moves the time, and only that one writes.
        due = Q(alarmed_at__isnull=True) | Q(alarmed_at__lte=now - AGAIN_AFTER)
        if mine.filter(due).update(alarmed_at=now):
            try:
                _tell(canary, trouble)
            except Exception:
                # Nobody was told: the next tick tries again.
                mine.update(alarmed_at=None)
                raise
    return alarms


def _passed_over(canary: DigestCanary, shown: int, mark: int) -> bool:
    """True when something between what was shown and the mark was owed to it."""
    reader = canary.subscription.subscriber_id
    follows = Follow.objects.active().filter(subscriber=reader)
    owed = Q(pk__in=[])
    for condition, since in follows.values_list("condition", "from_seq"):
        owed |= Q(article__conditions=condition, seq__gt=max(since, shown))
    had = Delivery.objects.filter(
        subscriber=reader, mailing__kind=Mailing.Kind.ALERT, state__in=REACHED
    ).values("mailing__alert__article")
    return (
        Release.objects.standing()
        .filter(
            owed,
            seq__lte=mark,
            article__live=True,
            released_at__gt=max(
                filter(None, (canary.watched_since, canary.subscription.paused_until))
            ),
        )
        # One that was overdue for review as the digest went is rightly not in it.
        .exclude(article__review_due__lt=timezone.localdate())
        .exclude(article__in=had)
        .exists()
    )


def _tell(canary: DigestCanary, trouble: Trouble) -> None:
    """Write to those who send. The mail names no reader and nothing that is followed."""
    people = User.objects.with_perm(
        SEND, backend="django.contrib.auth.backends.ModelBackend"
    ).exclude(email="")
    log.error("Watched digest %s: %s", canary.pk, trouble)
    page = settings.BASE_URL + reverse("desk:canaries")
    for person in people:
        send_mail(
            _("A watched digest did not come"),
            f"{canary.subscription.newsletter.name}: {words_for(trouble)}\n\n{page}\n",
            None,
            [person.email],
        )
