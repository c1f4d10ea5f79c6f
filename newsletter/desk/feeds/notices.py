"""Staff are told once when a feed dies: by mail, and on the dashboard for as long as it is dead."""

import logging
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.feeds.words import health_of
from newsletter.desk.models import User
from newsletter.desk.models.limits import limits_of
from newsletter.editions.models import Feed

logger = logging.getLogger(__name__)

CHANGE = "editions.change_feed"
MOST_SHOWN = 6


def tell_of_dead_feeds(now: datetime) -> int:
    """Mail those who look after feeds about each that has died. Returns how many feeds.

    Harmless twice: the row says that it has been told, until the feed lives again.
    """
    told = 0
    for feed in Feed.objects.dead().filter(told_at__isnull=True):
        if not Feed.objects.filter(pk=feed.pk, told_at__isnull=True).update(told_at=now):
            continue  # another tick has it
        try:
            told += _tell(feed)
        except (SMTPException, OSError):
            # Given back, so that the next tick tries again.
            Feed.objects.filter(pk=feed.pk, told_at=now).update(told_at=None)
            logger.exception("Nobody was told that feed %s is dead.", feed.pk)
    return told


def keepers() -> list[User]:
    """Who looks after feeds and can be mailed."""
    app_label, codename = CHANGE.split(".")
    permission = Q(
        groups__permissions__content_type__app_label=app_label,
        groups__permissions__codename=codename,
    )
    found = User.objects.filter(permission | Q(is_superuser=True), is_active=True)
    return [user for user in found.exclude(email="").distinct() if not limits_of(user)]


def _tell(feed: Feed) -> bool:
    people = keepers()
    for user in people:
        # One by one: an address is nobody else's business.
        message = EmailMessage(
            _("A feed has stopped: %(name)s") % {"name": feed.name},
            render_to_string(
                "desk/mail/dead_feed.txt",
                {
                    "feed": feed,
                    "health": health_of(feed),
                    "url": settings.BASE_URL + reverse("desk:feed", args=(feed.pk,)),
                },
            ),
            settings.DEFAULT_FROM_EMAIL,
            [user.email],
        )
        message.extra_headers["Auto-Submitted"] = "auto-generated"
        message.send()
    if not people:
        logger.error("Feed %s is dead, and there is nobody to tell.", feed.pk)
    return bool(people)


def dead_feeds(user: AbstractUser) -> dict[str, Any]:
    """For the dashboard. Not there at all while every feed lives."""
    if not user.has_perm(CHANGE) or limits_of(user):
        return {"feeds": []}
    dead = Feed.objects.dead().order_by("failing_since")[:MOST_SHOWN]
    return {"feeds": [(feed, health_of(feed)) for feed in dead]}
